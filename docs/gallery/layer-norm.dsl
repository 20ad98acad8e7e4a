model LayerNorm {
  input x[n, 4]
  input y[n, 4]

  param W[4, 4] ~ orthogonal

  a[n, k] = sum[i](x[n, i] * W[i, k])
  mu[n]  = mean[k](a[n, k])
  var[n] = mean[k]((a[n, k] - mu[n])^2)
  output q[n, k] = (a[n, k] - mu[n]) / sqrt(var[n] + 1e-5)
  loss = mean[n, k]((q[n, k] - y[n, k])^2)
}
