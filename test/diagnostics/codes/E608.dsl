model M {
  input x[n, 4]
  h = x |> dense(4)
  cotangent x -> 2 * dx
  loss = mean(h^2)
}
