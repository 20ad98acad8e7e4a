model Embedding {
  input word[n]: 6
  input y[n, 3]

  param E[6, 3] ~ normal(0, 0.1)

  output e[n, d] = E[word[n], d]
  loss = mean[n, d]((e[n, d] - y[n, d])^2)
}
