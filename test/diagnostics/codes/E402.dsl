model M {
  input token[n]
  param E[1000, 16] ~ normal(0, 0.02)
  output y[n, d] = E[token[n], d]
  loss = mean[n, d](y[n, d]^2)
}
