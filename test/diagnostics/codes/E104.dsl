model M {
  input x[n, 3]
  output y = 2x + .5
}
