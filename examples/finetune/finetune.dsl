// The network of pretrain.dsl, tuned to tell apart the digits 5 to 9: the first layer stays as it is (no gradient is
// computed for it), the second learns at a small rate, with weight decay.
model Finetune {
  dim pixels = 64, hidden = 32, classes = 5

  input x[n, pixels]
  input label[n]: classes                      // 0 .. 4 stand for the digits 5 .. 9

  param W1[pixels, hidden]  ~ zeros            // all four are loaded from .npy files
  param b1[hidden]          ~ zeros
  param W2[hidden, classes] ~ zeros
  param b2[classes]         ~ zeros

  h[n, j] = tanh(sum[i](x[n, i] * W1[i, j]) + b1[j])
  z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]

  output p[n, k]  = softmax[k](z[n, k])
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])

  train {
    freeze: [W1, b1]
    optimizer: adamw(rate = 4e-3, weight_decay = 1e-2)
    batch: 32
    epochs: 40
    seed: 1
  }
}
