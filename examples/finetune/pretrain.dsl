// Digits 0 to 4 from 8x8 pictures: where the weights of the fine-tuning example come from.
model Pretrain {
  dim pixels = 64, hidden = 32, classes = 5

  input x[n, pixels]
  input label[n]: classes

  param W1[pixels, hidden]  ~ glorot_uniform
  param b1[hidden]          ~ zeros
  param W2[hidden, classes] ~ glorot_uniform
  param b2[classes]         ~ zeros

  h[n, j] = tanh(sum[i](x[n, i] * W1[i, j]) + b1[j])
  z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]

  output p[n, k]  = softmax[k](z[n, k])
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])

  train { optimizer: adam(rate = 1e-2), batch: 32, epochs: 20, seed: 1 }
}
