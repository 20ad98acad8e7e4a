// W5: which of 64 symbols comes next, at every one of 32 steps.
model Lstm {
  dim symbols = 64, steps = 32
  input x[n, steps]: symbols
  input y[n, steps]: symbols

  output z = x |> embedding(symbols, 32) |> lstm(128) |> dense(symbols)

  loss = mean[n, t](cross_entropy[k](z[n, t, k], y[n, t]))

  train { optimizer: adam(rate = 1e-3), batch: 16 }
}
