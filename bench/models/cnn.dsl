// W4: digits by convolutions, as LeNet. Pictures are [n, row, column, channel].
model Cnn {
  input x[n, 28, 28, 1]
  input y[n]: 10

  a = x |> conv2d(8, size = 5)  |> relu |> max_pool2d(2)
  b = a |> conv2d(16, size = 5) |> relu |> max_pool2d(2)
  output z = b |> flatten |> dense(10)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 1e-3), batch: 32 }
}
