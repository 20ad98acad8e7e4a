model M {
  input x[n, 3]
  output y[n, i: 9] = x[n, i - 3] else reflect
}
