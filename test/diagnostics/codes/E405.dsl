model M {
  input x[n, 3]
  param W[3, 2] ~ glorot_uniform
  output z[n, k] = x[n, i] * W[i, k]
}
