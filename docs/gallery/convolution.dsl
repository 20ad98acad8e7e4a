model Convolution {
  input x[n, 8]
  input y[n, 8]

  param A[3] ~ ones
  param B[3] ~ ones

  h[n, i: 8] = sum[u]((x[n, i + u - 1] else 0) * A[u])
  output z[n, i: 8] = sum[u]((h[n, i + u - 1] else 0) * B[u])
  loss = mean[n, i]((z[n, i] - y[n, i])^2)
}
