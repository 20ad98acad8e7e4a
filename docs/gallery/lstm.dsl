model Lstm {
  input v[n, 7]
  input c[n, 4]
  input y[n, 4]

  param I[7, 4] ~ glorot_uniform
  param F[7, 4] ~ glorot_uniform
  param G[7, 4] ~ glorot_uniform
  param O[7, 4] ~ glorot_uniform

  i[n, k] = sigmoid(sum[p](v[n, p] * I[p, k]))
  f[n, k] = sigmoid(sum[p](v[n, p] * F[p, k]))
  g[n, k] = tanh(sum[p](v[n, p] * G[p, k]))
  o[n, k] = sigmoid(sum[p](v[n, p] * O[p, k]))

  output s[n, k] = f[n, k] * c[n, k] + i[n, k] * g[n, k]
  output h[n, k] = o[n, k] * tanh(s[n, k])
  loss = mean[n, k]((h[n, k] - y[n, k])^2)
}
