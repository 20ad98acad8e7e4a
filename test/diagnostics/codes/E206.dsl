layer block(x[n, i]) -> y[n, i] {
  y = x |> dense(i) |> block
}

model M {
  input x[n, 3]
  output y = x |> block
}
