model Attention {
  input x[n, 5, 4]
  input y[n, 5, 4]

  param Q[4, 4] ~ glorot_uniform
  param K[4, 4] ~ glorot_uniform
  param V[4, 4] ~ glorot_uniform

  q[n, t, c] = sum[d](x[n, t, d] * Q[d, c])
  k[n, t, c] = sum[d](x[n, t, d] * K[d, c])
  v[n, t, c] = sum[d](x[n, t, d] * V[d, c])
  s[n, t, r] = sum[c](q[n, t, c] * k[n, r, c]) / sqrt(4)
  a[n, t, r] = softmax[r](s[n, t, r])
  output o[n, t, c] = sum[r](a[n, t, r] * v[n, r, c])
  loss = mean[n, t, c]((o[n, t, c] - y[n, t, c])^2)
}
