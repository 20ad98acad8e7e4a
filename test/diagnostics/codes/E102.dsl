model M {
  input x[n, 3]
  output y[n] = sum[i](x[n, i] ** 2)
}
