model M {
  input x[n]
  state average ~ zeros
  output y[n] = x[n] - average
}
