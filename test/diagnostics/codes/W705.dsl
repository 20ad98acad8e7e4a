model M {
  input x[n, 3]
  input y[n]
  param W[3] ~ ones
  rate[n] = sum[i](x[n, i] * W[i])
  loss = mean[n](rate[n] - y[n] * log(rate[n]))
}
