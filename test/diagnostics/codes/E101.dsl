model M {
  input x[n, 3]   # the data
  output y = x * 2
}
