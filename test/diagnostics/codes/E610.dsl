model Decay {
  input x[n, 4]
  param a ~ ones
  scan t {
    h[n, t: 4] = tanh(a * (h[n, t - 1] else 0) + grad(x[n, t]^2, x[n, t]))
  }
  loss = mean(h^2)
}
