model M {
  input x[n, 3]
  input t[n]
  param W[3] ~ ones
  y[n] = sum[i](x[n, i] * W[i])
  loss = mean[n](y[n] > 0 ? t[n] : 0)
}
