model M {
  input x[n, 784]
  input y[n]
  param W[784, 32] ~ normal(0, 1)
  param v[32]      ~ glorot_uniform
  h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))
  loss = mean[n]((sum[j](h[n, j] * v[j]) - y[n])^2)
  train { optimizer: adam }
}
