model BatchNorm {
  input x[n, 4]
  input y[n, 4]

  param W[4, 4] ~ orthogonal
  param gamma[4] ~ ones
  param beta[4]  ~ zeros

  a[n, k] = sum[i](x[n, i] * W[i, k])
  mu[k]  = mean[n](a[n, k])
  var[k] = mean[n]((a[n, k] - mu[k])^2)
  q[n, k] = (a[n, k] - mu[k]) / sqrt(var[k] + 1e-5)
  output z[n, k] = gamma[k] * q[n, k] + beta[k]
  loss = mean[n, k]((z[n, k] - y[n, k])^2)
}
