/** Programs of the language that the tests parse whole. */

export const digits = `// Handwritten digits: 28x28 grey levels in, one of ten classes out.
model Digits {
  dim pixels = 784, hidden = 128, classes = 10     // every size is known at compile time, but the batch

  input  x[n, pixels]                              // n, never declared, is the batch: bound at run time
  input  label[n]: classes                         // integers 0 .. classes-1

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
`;

export const library = `import "more.dsl"

dim width = 4, twice = 2 * width

model Digits {
  input x[n, 28, 28, 1]
  input label[n]: 10
  input offset[n, t]: -100 .. 9
  a = x |> conv2d(filters = 8, size = 5)  |> relu |> max_pool2d(2)
  b = a |> conv2d(filters = 16, size = 5)
    |> relu
    |> max_pool2d(2)
  z = b |> flatten |> dropout(0.3) |> dense(10)
  param temperature ~ -0.5
  param E[3, width] ~ normal(0, 0.02)
  param F[2, 2] ~ [[1, 2], [3, 4]]
  shifted[n, i: 14, j: 2 * width, k] = x[n, 2*i - 1, j + k, 0] else -inf
  c = training ? a |> noise : a
  output z
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    + 1e-4 * sum(E^2)
  train {
    optimizer: adam(rate = cosine(1e-3, period = 1000))
    optimizer[E, "block_*"]: sgd(
      rate = 0.1,
      momentum = 0.9
    )
    batch: 64, epochs: 10
    freeze: [F, "enc_*"]
    shuffle: true
  }
}

fn gelu(x) = 0.5 * x * (1 + erf(x / sqrt(2)))
fn softmax[k](z) = exp(z) / sum[k](exp(z))
fn norm[k](z, eps = 1e-5) {
  m = mean[k](z)
  v = mean[k]((z - m)^2)
  return (z - m) / sqrt(v + eps)
}

layer dense(x[.., i], units) -> y[.., units] {          // .. is any number of leading dimensions
  param W[i, units] ~ glorot_uniform
  param b[units]    ~ zeros
  y[.., o] = sum[i](x[.., i] * W[i, o]) + b[o]
}

layer conv2d(x[n, h, w, c], filters, size, stride = 1, pad = 0) -> y[n, .., .., filters] {
  dim wide = size + 1
  param K[size, size, c, filters] ~ he_normal
  param b[filters] ~ zeros
  y[n, i, j, f] = sum[u, v, c](x[n, stride*i + u - pad, stride*j + v - pad, c] * K[u, v, c, f]) + b[f]
}

layer skip(x[_, i]) -> y[2, i] { y = x }

optimizer adam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m ~ zeros, v ~ zeros
  state P[] ~ ones
  m' = beta1 * m + (1 - beta1) * g
  v' = beta2 * v + (1 - beta2) * g^2
  P' = P * beta1 + loss
  p' = p - rate * (m' / (1 - beta1^t)) / (sqrt(v' / (1 - beta2^t)) + eps)
}

schedule cosine(rate, period, floor = 0) = floor + (rate - floor) * (1 + cos(pi * step / period)) / 2
schedule plateau(rate) {
  state best ~ inf
  best' = min(best, loss)
  value = loss > best ? rate / 2 : rate
}
`;
