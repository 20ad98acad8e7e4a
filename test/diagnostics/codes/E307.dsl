model M {
  input x[n, 3]
  param b[4] ~ zeros
  loss = mean((x + b)^2)
}
