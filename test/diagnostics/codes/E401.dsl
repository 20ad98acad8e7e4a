model M {
  input x[n, 3]
  output y = x[n, 0] * 2
}
