// The smallest network that reads digits, built from layers of the library.
model DigitsSmall {
  input x[n, 784]
  input label[n]: 10

  z = x |> dense(10) |> relu |> dense(10)

  output p        = z |> softmax
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])

  train { optimizer: adam(rate = 1e-3), batch: 32, epochs: 10, seed: 1 }
}
