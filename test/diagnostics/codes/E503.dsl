model M {
  input x[n, 3]
  param W[3, 2] ~ xavier
  loss = mean[n, j](sum[i](x[n, i] * W[i, j])^2)
}
