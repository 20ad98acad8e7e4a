model M {
  input x[n, 5]
  scan t {
    h[n, t] = x[n, t] + 0.5 * (h[n, t + 1] else 0)
  }
  output h
}
