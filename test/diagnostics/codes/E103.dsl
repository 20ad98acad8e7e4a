model M {
  input x[n, 3]
  output y[n] = sum[i](relu(x[n, i])
  output z = x * 2
}
