// 1024-1024-1024-10: two million parameters. The rate is small so that rounding does not decide where the loss goes.
model Large {
  input x[n, 1024]
  input y[n]: 10

  output z = x |> dense(1024) |> relu |> dense(1024) |> relu |> dense(10)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 2e-5), batch: 256 }
}
