model M {
  input x[n, 3]
  input weight[n]
  output y = x |> dense(2)
}
