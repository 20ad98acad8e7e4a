model M {
  input x[n, 3]
  output y = tahn(x)
}
