// W6: a GPT-2 of two blocks (Radford et al. 2019), characters in and out, the head a matrix of its own.
layer block(x[.., t, d], heads) -> y[.., t, d] {
  attended = x |> layer_norm |> multi_head_attention(heads, causal = true)
  u        = x + attended
  fed      = u |> layer_norm |> dense(4 * d) |> gelu_tanh |> dense(d)
  y        = u + fed
}

model Gpt {
  dim characters = 96, context = 64, width = 128, heads = 4
  input x[n, context]: characters
  input y[n, context]: characters

  start  = x |> embedding(characters, width) |> learned_positions
  block1 = start |> block(heads)
  block2 = block1 |> block(heads)
  output z = block2 |> layer_norm |> dense(characters, bias = false)

  loss = mean[n, t](cross_entropy[k](z[n, t, k], y[n, t]))

  train { optimizer: adamw(rate = 1e-3, weight_decay = 0.01), batch: 8 }
}
