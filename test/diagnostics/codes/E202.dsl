model M {
  input x[n, 3]
  h = relu(x)
  h = h |> dense(2)
  output h
  loss = mean(h^2)
}
