// 16-32-4: a table with a few columns.
model Small {
  input x[n, 16]
  input y[n]: 4

  output z = x |> dense(32) |> relu |> dense(4)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 1e-3), batch: 16 }
}
