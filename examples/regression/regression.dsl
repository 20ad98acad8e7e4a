// Progression of diabetes after a year, from ten measurements: a small network with a robust loss.
model Regression {
  dim features = 10, hidden = 16

  input x[n, features]
  input target[n]

  h = x |> dense(hidden) |> tanh
  z = h |> dense(1)
  output y[n] = z[n, 0]

  loss       = mean[n](huber(y[n], target[n], delta = 1)) + 1e-3 * sum(h_W^2)
  metric mse = mean[n]((y[n] - target[n])^2)

  train {
    optimizer: adamw(rate = cosine(5e-3, period = 1600), weight_decay = 1e-2)
    batch: 32
    epochs: 80
    seed: 1
    clip_norm: 1
  }
}
