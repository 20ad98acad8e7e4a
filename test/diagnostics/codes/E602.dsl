model M {
  input x[n, 3]
  input t[n, 1]
  z = x |> dense(1)
  loss = (z - t)^2
}
