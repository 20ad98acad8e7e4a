model M {
  dim width = 7, half = width / 2
  input x[n, half]
  output y = x * 2
}
