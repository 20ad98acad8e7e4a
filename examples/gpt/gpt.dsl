// A transformer that writes on, character by character: a small GPT-2 (Radford et al. 2019).

// Attention as in Vaswani et al. 2017, each head h with projections of its own: the query at i looks at the keys up to i.
layer causal_attention(x[.., t, d], heads) -> y[.., t, d] {
  dim size = d / heads
  param Q[d, heads, size] ~ normal(0, 1 / sqrt(d))
  param K[d, heads, size] ~ normal(0, 1 / sqrt(d))
  param V[d, heads, size] ~ normal(0, 1 / sqrt(d))
  param O[heads, size, d] ~ normal(0, 1 / sqrt(d))

  q[.., i, h, c] = sum[e](x[.., i, e] * Q[e, h, c])
  k[.., i, h, c] = sum[e](x[.., i, e] * K[e, h, c])
  v[.., i, h, c] = sum[e](x[.., i, e] * V[e, h, c])

  score[.., h, i, j]  = sum[c](q[.., i, h, c] * k[.., j, h, c]) / sqrt(size)
  weight[.., h, i, j] = softmax[j](j <= i ? score[.., h, i, j] : -inf)
  mixed[.., i, h, c]  = sum[j](weight[.., h, i, j] * v[.., j, h, c])

  y[.., i, o] = sum[h, c](mixed[.., i, h, c] * O[h, c, o])
}

// What attention and a small network of two layers find is added to x; each looks at x through a normalisation.
layer block(x[.., t, d], heads) -> y[.., t, d] {
  norm1     = x |> layer_norm
  attention = norm1 |> causal_attention(heads)
  u         = x + attention
  norm2     = u |> layer_norm
  hidden    = norm2 |> dense(4 * d)
  mlp       = hidden |> gelu_tanh |> dense(d)
  y         = u + mlp
}

model Gpt {
  dim characters = 96, context = 64, width = 64, heads = 4

  input text[n, context]: characters
  input next[n, context]: characters        // the character after each of text

  tokens = text |> embedding(characters, width)
  start  = tokens |> learned_positions
  block1 = start |> block(heads)
  block2 = block1 |> block(heads)
  block3 = block2 |> block(heads)
  block4 = block3 |> block(heads)
  norm   = block4 |> layer_norm
  z      = norm |> dense(characters)

  output p[n, t, k] = softmax[k](z[n, t, k])
  loss              = mean[n, t](cross_entropy[k](z[n, t, k], next[n, t]))

  train {
    optimizer: adamw(rate = warmup_cosine(4e-3, warmup = 60, total = 1000, ratio = 0.05), beta2 = 0.99)
    batch: 16
    clip_norm: 1
    seed: 1
  }
}
