model M {
  input x[n, 3]
  output y = x |> dense(unit = 4)
}
