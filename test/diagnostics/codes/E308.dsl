model M {
  input x[n, 3]
  output y[n, i] = x[n, i] |> dense(3)
}
