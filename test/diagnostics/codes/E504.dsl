model M {
  input x[n, 3]
  param scale[3] ~ ones
  random eps[n, 3] ~ normal(0, scale)
  loss = mean((x + eps)^2)
}
