model M {
  input x[n, 3, 3]
  output d[n, i, i] = x[n, i, i]
}
