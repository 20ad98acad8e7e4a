model M {
  input x[n, 4]
  input label[n]: 3
  z = x |> dense(3)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](p[n, k], label[n]))
}
