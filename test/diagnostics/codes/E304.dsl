model M {
  input x[n, 3]
  param W[n, 3] ~ zeros
  loss = mean((W - x)^2)
}
