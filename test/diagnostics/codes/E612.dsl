model Sensitivity {
  input x[n, 3]
  input y[n]
  param w[3] ~ ones
  z[n] = sum[i](x[n, i] * w[i])
  loss = mean[n]((z[n] - y[n])^2)
  output g = grad(z, y)
}
