model M {
  input x[n, 3]
  output y = h * 2
  h = relu(x)
}
