model Sensitivity {
  input x[n, 3]
  param W[3, 2] ~ glorot_uniform
  z[n, k] = sum[i](x[n, i] * W[i, k])
  loss = mean(z^2)
  output g = grad(z, x)
}
