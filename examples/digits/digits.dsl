// Handwritten digits: 28x28 grey levels in, one of ten classes out.
model Digits {
  dim pixels = 784, hidden = 128, classes = 10 // every size is known at compile time, but the batch

  input x[n, pixels]                           // n, never declared, is the batch: bound at run time
  input label[n]: classes                      // integers 0 .. classes-1

  param W1[pixels, hidden]  ~ glorot_uniform
  param b1[hidden]          ~ zeros
  param W2[hidden, classes] ~ glorot_uniform
  param b2[classes]         ~ zeros

  h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
  z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]

  output p[n, k]  = softmax[k](z[n, k])
  loss            = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])

  train { optimizer: adam(rate = 1e-3), batch: 64, epochs: 10, seed: 1 }
}
