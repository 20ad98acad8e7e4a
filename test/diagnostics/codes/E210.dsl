model M {
  input x[n, 3]
  h = x |> dense(2)
}
