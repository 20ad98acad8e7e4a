// Exclusive or: the smallest problem that one layer cannot solve.
// The loss is spelled as every tutorial spells it; the compiler finds the stable form and the gradient (a - y) / m.
model Xor {
  input x[n, 2]
  input y[n, 1]

  param W1[2, 3] ~ glorot_uniform
  param b1[3]    ~ zeros
  param W2[3, 1] ~ glorot_uniform
  param b2[1]    ~ zeros

  h[n, j] = sigmoid(sum[i](x[n, i] * W1[i, j]) + b1[j])
  z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]
  output a[n, k] = sigmoid(z[n, k])

  loss            = -mean[n, k](y[n, k] * log(a[n, k]) + (1 - y[n, k]) * log(1 - a[n, k]))
  metric accuracy = mean[n, k]((a[n, k] > 0.5) == y[n, k])

  train { optimizer: sgd(rate = 2), batch: 4, epochs: 3000, seed: 1, shuffle: false }
}
