model MaxPooling {
  input x[n, 8]
  input y[n, 4]

  param w[8] ~ ones

  a[n, i] = x[n, i] * w[i]
  output m[n, i] = max[u: 2](a[n, 2*i + u])
  loss = mean[n, i]((m[n, i] - y[n, i])^2)
}
