model M {
  input x[n, 8, 8, 3]
  output y = x |> max_pool2d(2, pad = 2)
}
