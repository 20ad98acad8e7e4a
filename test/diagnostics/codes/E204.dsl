model M {
  input x[n, 3]
  param W[3] ~ ones
  output y[n] = sum[i](W(i) * x[n, i])
}
