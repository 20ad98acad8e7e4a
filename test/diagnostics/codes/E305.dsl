model M {
  input x[n, features]
  output y = x * 2
}
