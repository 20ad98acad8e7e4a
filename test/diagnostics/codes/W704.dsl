model M {
  input x[n]
  param w ~ ones
  loss = mean[n]((x[n] * w)^2) * (1 / 0)
}
