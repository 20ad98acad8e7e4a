// 64-64-10: digits of 8 by 8 pixels.
model Middle {
  input x[n, 64]
  input y[n]: 10

  output z = x |> dense(64) |> relu |> dense(10)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 1e-3), batch: 32 }
}
