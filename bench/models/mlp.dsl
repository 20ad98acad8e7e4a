// W3: digits by two hidden layers, 784-256-128-10.
model Mlp {
  input x[n, 784]
  input y[n]: 10

  output z = x |> dense(256) |> relu |> dense(128) |> relu |> dense(10)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 1e-3), batch: 64 }
}
