// First names, spelt letter by letter: after each letter a recurrent network says what comes next.
model Names {
  dim symbols = 27, steps = 14              // 0 begins and ends a name, 1 .. 26 are the letters; the longest name has 13
  dim width = 16, units = 96

  input seen[n, steps]: symbols             // 0, then the letters
  input next[n, steps]: symbols             // the letters, then 0
  input length[n]: 1 .. steps               // how many of the steps count: the letters and the end

  z = seen |> embedding(symbols, width, deviation = 0.5) |> gru(units) |> dropout(0.2) |> dense(symbols)

  output p[n, t, k] = softmax[k](z[n, t, k])

  // -log of the probability of a name: what stands after its end does not count
  loss = mean[n](sum[t](t < length[n] ? cross_entropy[k](z[n, t, k], next[n, t]) : 0))

  train { optimizer: adam(rate = 3e-3), batch: 32, epochs: 12, seed: 1 }
}
