model M {
  input x[n, 4]
  input y[n, 3]
  z = x |> dense(3)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n, k]((p[n, k] - y[n, k])^2)
}
