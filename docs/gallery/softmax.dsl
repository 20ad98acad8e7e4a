model Softmax {
  input x[n, 3]
  input label[n]: 4

  param W[3, 4] ~ zeros

  z[n, k] = sum[i](x[n, i] * W[i, k])
  output p[n, k] = softmax[k](z[n, k])
  loss = -mean[n](log(p[n, label[n]]))
}
