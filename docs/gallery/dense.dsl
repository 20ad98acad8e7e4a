model Dense {
  input x[n, 3]
  input y[n, 2]

  param W[3, 2] ~ glorot_uniform
  param b[2]    ~ zeros

  output h[n, j] = tanh(sum[i](x[n, i] * W[i, j]) + b[j])
  loss = mean[n, j]((h[n, j] - y[n, j])^2)
}
