// A network that solves u'' = -pi^2 sin(pi x) on [0, 1] with u(0) = u(1) = 0: no data, only the equation.
model Pinn {
  input x[n, 1]

  network = x |> dense(16) |> tanh |> dense(16) |> tanh |> dense(1)
  output u[n] = x[n, 0] * (1 - x[n, 0]) * network[n, 0]     // 0 at both ends, whatever the network gives

  du[n]  = grad(u[n], x[n, 0])
  d2u[n] = grad(du[n], x[n, 0])

  residual[n]  = d2u[n] + pi^2 * sin(pi * x[n, 0])
  loss         = mean(residual^2)
  metric error = mean[n](abs(u[n] - sin(pi * x[n, 0])))     // the solution, for comparison only

  train { optimizer: adam(rate = cosine(1e-2, period = 1500)), batch: 32, epochs: 1500, seed: 1 }
}
