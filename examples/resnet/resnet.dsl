// A residual network for 8x8 pictures of digits, after He, Zhang, Ren & Sun (2016): "Deep Residual Learning".

// Two convolutions compute what is *added* to x, so that a block that has learnt nothing yet hands on what it got, and the
// gradient finds a way through a stack of them unhindered. With stride 2 there are half as many rows and columns; the
// shortcut then takes every other place, and channels that x does not have are 0 (option A of the paper: no parameters).
layer residual_block(x[n, h, w, c], filters, stride = 1) -> y[n, rows, columns, filters] {
  dim rows = ceil(h / stride), columns = ceil(w / stride)
  // batch_norm adds a beta of its own, so the convolutions need no bias. In training it normalises by the batch at hand
  // and keeps running statistics, a state, by which it normalises when the network is used.
  a = x |> conv2d(filters, size = 3, stride = stride, pad = 1, bias = false) |> batch_norm |> relu
  b = a |> conv2d(filters, size = 3, pad = 1, bias = false)                  |> batch_norm
  y[n, i: rows, j: columns, f: filters] = relu(b[n, i, j, f] + (x[n, stride*i, stride*j, f] else 0))
}

model ResNet {
  input x[n, 8, 8, 1]
  input label[n]: 10

  stem  = x |> conv2d(16, size = 3, pad = 1, bias = false) |> batch_norm |> relu
  fine  = stem |> residual_block(16) |> residual_block(16)             // [n, 8, 8, 16]
  rough = fine |> residual_block(32, stride = 2) |> residual_block(32) // [n, 4, 4, 32]
  z     = rough |> global_avg_pool2d |> dense(10)

  output p        = z |> softmax
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])

  // 43 steps an epoch: the rate grows for 40 steps and then falls along half a cosine to 0.
  train {
    optimizer: sgd(rate = warmup_cosine(0.05, warmup = 40, total = 645), momentum = 0.9, weight_decay = 5e-4)
    batch: 32
    epochs: 15
    seed: 1
  }
}
