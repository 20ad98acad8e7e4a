model M {
  input x[n, 784]
  param W[768, 10] ~ glorot_uniform
  z[n, k] = sum[i](x[n, i] * W[i, k])
  loss = mean[n, k](z[n, k]^2)
}
