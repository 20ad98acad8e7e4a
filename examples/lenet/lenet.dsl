// LeNet: a convolutional network for handwritten digits (LeCun, Bottou, Bengio & Haffner 1998), with relu and max pooling
// where the paper has tanh and averages. Pictures are [n, row, column, channel].
model LeNet {
  input x[n, 28, 28, 1]
  input label[n]: 10

  // A convolution looks for the same small pattern at every place; pooling keeps the strongest of each 2x2 window.
  c1 = x  |> conv2d(6, size = 5, pad = 2) |> relu |> max_pool2d(2)   // [n, 14, 14, 6]
  c2 = c1 |> conv2d(16, size = 5)         |> relu |> max_pool2d(2)   // [n, 5, 5, 16]

  // What was found where, as one row of 400 numbers; from here on a network as any other.
  h = c2 |> flatten |> dense(120) |> relu |> dense(84) |> relu
  z = h |> dense(10)

  output p        = z |> softmax
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])

  // 125 steps an epoch: the rate grows for 100 steps and then falls along half a cosine to 0.
  train { optimizer: adam(rate = warmup_cosine(2e-3, warmup = 100, total = 1000)), batch: 64, epochs: 8, seed: 1 }
}
