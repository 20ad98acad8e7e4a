model M {
  input x[n, 3]
  input y[n]
  param W[3, 8] ~ zeros
  param v[8]    ~ ones
  h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))
  loss = mean[n]((sum[j](h[n, j] * v[j]) - y[n])^2)
  train { optimizer: adam }
}
