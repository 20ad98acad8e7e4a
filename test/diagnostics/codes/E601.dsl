model M {
  input x[n, 3]
  z = x |> dense(1)
  param temperature ~ 1
  output p = sigmoid(z / temperature)
  loss = mean(z^2)
}
