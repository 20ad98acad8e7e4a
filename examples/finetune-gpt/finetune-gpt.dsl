// The transformer of ../gpt, which has read Moby-Dick, tuned on other English in three ways.
import "../gpt/gpt.dsl"

dim characters = 96, context = 64, width = 64, heads = 4

// The same network: what is called NAME there is z_NAME here.
layer network(text[n, t]) -> z[n, t, characters] {
  tokens = text |> embedding(characters, width)
  start  = tokens |> learned_positions
  block1 = start |> block(heads)
  block2 = block1 |> block(heads)
  block3 = block2 |> block(heads)
  block4 = block3 |> block(heads)
  norm   = block4 |> layer_norm
  z      = norm |> dense(characters)
}

// Everything is trained.
model Full {
  input text[n, context]: characters
  input next[n, context]: characters

  z = network(text)
  output p[n, t, k] = softmax[k](z[n, t, k])
  loss              = mean[n, t](cross_entropy[k](z[n, t, k], next[n, t]))

  train {
    optimizer: adamw(rate = warmup_cosine(1e-3, warmup = 10, total = 120, ratio = 0.05), beta2 = 0.99)
    batch: 16
    clip_norm: 1
    seed: 1
  }
}

// The last block and what comes after it: below there is no gradient, and nothing to be kept for one.
model Last {
  input text[n, context]: characters
  input next[n, context]: characters

  z    = network(text)
  loss = mean[n, t](cross_entropy[k](z[n, t, k], next[n, t]))

  train {
    freeze: ["z_tokens_*", "z_start_*", "z_block1_*", "z_block2_*", "z_block3_*"]
    optimizer: adamw(rate = warmup_cosine(1e-3, warmup = 10, total = 120, ratio = 0.05), beta2 = 0.99)
    batch: 16
    clip_norm: 1
    seed: 1
  }
}

// causal_attention with updates of rank `rank` of Q and V, as in Hu et al. 2021: q = x (Q + alpha/rank Q_A Q_B)
layer lora_attention(x[.., t, d], heads, rank, alpha) -> y[.., t, d] {
  dim size = d / heads
  param Q[d, heads, size]      ~ normal(0, 1 / sqrt(d))
  param K[d, heads, size]      ~ normal(0, 1 / sqrt(d))
  param V[d, heads, size]      ~ normal(0, 1 / sqrt(d))
  param O[heads, size, d]      ~ normal(0, 1 / sqrt(d))
  param Q_A[d, rank]           ~ lecun_normal
  param Q_B[rank, heads, size] ~ zeros
  param V_A[d, rank]           ~ lecun_normal
  param V_B[rank, heads, size] ~ zeros

  low_q[.., i, r] = alpha / rank * sum[e](x[.., i, e] * Q_A[e, r])
  low_v[.., i, r] = alpha / rank * sum[e](x[.., i, e] * V_A[e, r])
  q[.., i, h, c]  = sum[e](x[.., i, e] * Q[e, h, c]) + sum[r](low_q[.., i, r] * Q_B[r, h, c])
  k[.., i, h, c]  = sum[e](x[.., i, e] * K[e, h, c])
  v[.., i, h, c]  = sum[e](x[.., i, e] * V[e, h, c]) + sum[r](low_v[.., i, r] * V_B[r, h, c])

  score[.., h, i, j]  = sum[c](q[.., i, h, c] * k[.., j, h, c]) / sqrt(size)
  weight[.., h, i, j] = softmax[j](j <= i ? score[.., h, i, j] : -inf)
  mixed[.., i, h, c]  = sum[j](weight[.., h, i, j] * v[.., j, h, c])

  y[.., i, o] = sum[h, c](mixed[.., i, h, c] * O[h, c, o])
}

layer lora_block(x[.., t, d], heads, rank, alpha) -> y[.., t, d] {
  norm1     = x |> layer_norm
  attention = norm1 |> lora_attention(heads, rank, alpha)
  u         = x + attention
  norm2     = u |> layer_norm
  hidden    = norm2 |> lora_dense(4 * d, rank, alpha)
  mlp       = hidden |> gelu_tanh |> lora_dense(d, rank, alpha)
  y         = u + mlp
}

layer lora_network(text[n, t], rank, alpha) -> z[n, t, characters] {
  tokens = text |> embedding(characters, width)
  start  = tokens |> learned_positions
  block1 = start |> lora_block(heads, rank, alpha)
  block2 = block1 |> lora_block(heads, rank, alpha)
  block3 = block2 |> lora_block(heads, rank, alpha)
  block4 = block3 |> lora_block(heads, rank, alpha)
  norm   = block4 |> layer_norm
  z      = norm |> dense(characters)
}

// The updates alone are trained: whatever has a name of the network as it was is frozen.
model Lora {
  input text[n, context]: characters
  input next[n, context]: characters

  z    = lora_network(text, rank = 4, alpha = 8)
  loss = mean[n, t](cross_entropy[k](z[n, t, k], next[n, t]))

  train {
    freeze: ["*_E", "*_P", "*_g", "*_b", "*_Q", "*_K", "*_V", "*_O", "*_W"]
    optimizer: adamw(rate = warmup_cosine(5e-3, warmup = 10, total = 120, ratio = 0.05), beta2 = 0.99)
    batch: 16
    clip_norm: 1
    seed: 1
  }
}
