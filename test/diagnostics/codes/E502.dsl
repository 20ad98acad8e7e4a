model M {
  input x[n, 3]
  z = x |> dense(1)
  loss = mean(z^2)
  train { optimizer: adam, epoch: 10 }
}
