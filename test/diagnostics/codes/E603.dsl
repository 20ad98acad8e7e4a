model M {
  input x[n, 4]
  input bin[n, 4]: 3
  param w[4] ~ ones
  peak[bin[n, i]: 3] max= x[n, i] * w[i] for n, i
  loss = sum(peak^2) + sum(w^2)
}
