model M {
  input x[n, 4]
  h = x |> dense(4)
  checkpoint r[n, i] = max(h[n, i], 0)
  loss = mean(r^2)
}
