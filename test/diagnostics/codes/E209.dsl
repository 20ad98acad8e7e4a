model M {
  input state[n, 3]
  output y = state * 2
}
