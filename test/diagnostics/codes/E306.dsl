model M {
  input x[n]
  output y[n, k] = x[n]
}
