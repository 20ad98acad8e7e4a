// W1: exclusive or, 2-3-1.
model Xor {
  input x[n, 2]
  input y[n, 1]

  z = x |> dense(3) |> sigmoid |> dense(1)
  output p = sigmoid(z)

  loss = -mean(y * log(p) + (1 - y) * log(1 - p))

  train { optimizer: sgd(rate = 0.1), batch: 4 }
}
