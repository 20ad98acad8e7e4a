// A variational autoencoder (Kingma & Welling 2014): learns to draw digits by squeezing each through twelve numbers.
dim pixels = 784, hidden = 256, latent = 12

// p(x | z): for each pixel the logit of its grey level. A layer of its own, because both models below need it.
layer decoder(z[n, latent]) -> y[n, pixels] {
  h = z |> dense(hidden) |> relu
  y = h |> dense(pixels)
}

// To train: picture -> distribution of its code z -> a draw from it -> picture.
model Vae {
  input x[n, pixels]                                  // grey levels 0 .. 1, taken as probabilities of white

  // q(z | x): the encoder gives the mean and the logarithm of the variance of each of the numbers.
  h = x |> dense(hidden) |> relu
  m = h |> dense(latent)
  s = h |> dense(latent)

  // A draw from N(m, exp(s)), written so that the gradient flows into m and s: the noise does not depend on them.
  random noise[n, latent] ~ normal(0, 1)
  z[n, k] = m[n, k] + exp(s[n, k] / 2) * noise[n, k]

  picture = z |> decoder                              // its parameters are called picture_...

  output code           = m
  output reconstruction = sigmoid(picture)

  // The evidence lower bound in nats a picture, log p(x) >= E[log p(x | z)] - KL(q(z | x) || p(z)) with p(z) = N(0, 1):
  // how badly the code tells the pixels, and how much the code itself tells that the prior does not know.
  error[n] = sum[i](bce_logits(picture[n, i], x[n, i]))
  kl[n]    = sum[k](m[n, k]^2 + exp(s[n, k]) - s[n, k] - 1) / 2

  loss                        = mean[n](error[n] + kl[n])
  metric reconstruction_error = mean[n](error[n])
  metric divergence           = mean[n](kl[n])

  // 250 steps an epoch: the rate grows for 100 steps and then falls along half a cosine to 0.
  train { optimizer: adam(rate = warmup_cosine(2e-3, warmup = 100, total = 5000)), batch: 32, epochs: 20, seed: 1 }
}

// To draw: the decoder alone, from any z. The statement has the same name as above, so its parameters have, too, and the
// trained weights fit.
model Decoder {
  input z[n, latent]
  picture = z |> decoder
  output grey = sigmoid(picture)
}
