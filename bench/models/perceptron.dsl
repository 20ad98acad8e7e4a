// W2: digits by the smallest network of tutorials, 784-10-10.
model Perceptron {
  input x[n, 784]
  input y[n]: 10

  output z = x |> dense(10) |> relu |> dense(10)

  loss = mean[n](cross_entropy[k](z[n, k], y[n]))

  train { optimizer: adam(rate = 1e-3), batch: 32 }
}
