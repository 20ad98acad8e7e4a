// Backpropagation small enough to do on paper: two inputs, two hidden units, one output, every weight one.
model ByHand {
  input x[n, 2]
  input t[n]

  param W1[2, 2] ~ ones // allow W707: all alike, so that it can be followed on paper
  param W2[2]    ~ ones

  u[n, j]     = sum[i](x[n, i] * W1[i, j])
  output h[n, j] = relu(u[n, j])
  output y[n] = sum[j](h[n, j] * W2[j])

  loss = sum[n](0.5 * (y[n] - t[n])^2)

  train { optimizer: sgd(rate = 0.01), batch: 1, epochs: 1 }
}
