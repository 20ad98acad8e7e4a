model M {
  input x[n, 28, 28]
  output y[n] = sum[i](x[n, i])
}
