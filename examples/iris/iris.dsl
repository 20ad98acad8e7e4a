// Three species of iris told apart by four measurements: multinomial logistic regression, with the textbook's formulas.
model Iris {
  input x[n, 4]
  input species[n]: 3

  param W[4, 3] ~ zeros
  param b[3]    ~ zeros

  z[n, k] = sum[i](x[n, i] * W[i, k]) + b[k]
  output p[n, k] = exp(z[n, k]) / sum[k](exp(z[n, k]))

  loss            = -mean[n](sum[k]((k == species[n]) * log(p[n, k]))) + 1e-3 * sum(W^2)
  metric accuracy = mean[n](argmax[k](p[n, k]) == species[n])

  train { optimizer: sgd(rate = 0.2, momentum = 0.9), batch: 30, epochs: 60, seed: 1 }
}
