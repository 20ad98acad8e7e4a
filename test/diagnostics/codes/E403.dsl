model M {
  input x[n, 10]
  output d[n, i: 10] = x[n, i + 1] - x[n, i]
}
