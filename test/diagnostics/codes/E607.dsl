fn smooth(x, width) = tanh(x / width)
derivative smooth(x, width) = 1 / width

model M {
  input x[n, 4]
  h = x |> dense(4)
  loss = mean(smooth(h, 2)^2)
}
