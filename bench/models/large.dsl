// 1024-1024-1024-10: two million parameters.
model Large {
  input x[n, 1024]
  input y[n]: 10

  output z = x |> dense(1024) |> relu |> dense(1024) |> relu |> dense(10)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 1e-3), batch: 256 }
}
