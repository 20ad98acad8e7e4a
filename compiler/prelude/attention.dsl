// Attention (Vaswani et al. 2017): sequences [.., time, feature]. Softmax runs over the keys; with `causal` the query at i
// sees the keys up to i. A mask[.., key] is 1 for keys that count and 0 for padding; at least one must count in each row.

// y = softmax(q kᵀ / √d) v
layer attention(q[.., s, d], k[.., t, d], v[.., t, units], causal = false) -> y[.., s, units] {
  score[.., i, j]   = sum[c](q[.., i, c] * k[.., j, c]) / sqrt(d)
  weights[.., i, j] = softmax[j](causal ? (j <= i ? score[.., i, j] : -inf) : score[.., i, j])
  y[.., i, o]       = sum[j](weights[.., i, j] * v[.., j, o])
}

layer masked_attention(q[.., s, d], k[.., t, d], v[.., t, units], mask[.., t], causal = false) -> y[.., s, units] {
  score[.., i, j]   = sum[c](q[.., i, c] * k[.., j, c]) / sqrt(d)
  weights[.., i, j] = softmax[j]((causal ? j <= i and mask[.., j] != 0 : mask[.., j] != 0) ? score[.., i, j] : -inf)
  y[.., i, o]       = sum[j](weights[.., i, j] * v[.., j, o])
}

// Self-attention with several heads, each on d / heads features: queries, keys and values are x W + b, cut into thirds,
// these into heads; what the heads give is put together again and goes through the last `dense`.
layer multi_head_attention(x[.., t, d], heads, causal = false, bias = true) -> y[.., t, d] {
  dim size = d / heads
  qkv = x |> dense(3 * d, bias)
  query[.., h: heads, i, c: size] = qkv[.., i, size*h + c]
  key[.., h: heads, j, c: size]   = qkv[.., j, d + size*h + c]
  value[.., h: heads, j, c: size] = qkv[.., j, 2*d + size*h + c]
  score[.., h, i, j] = sum[c](query[.., h, i, c] * key[.., h, j, c]) / sqrt(size)
  weights[.., h, i, j] = softmax[j](causal ? (j <= i ? score[.., h, i, j] : -inf) : score[.., h, i, j])
  mixed[.., h, i, c] = sum[j](weights[.., h, i, j] * value[.., h, j, c])
  joined[.., i, o: d] = mixed[.., o / size, i, mod(o, size)]
  y = joined |> dense(d, bias)
}

layer masked_multi_head_attention(x[.., t, d], mask[.., t], heads, causal = false, bias = true) -> y[.., t, d] {
  dim size = d / heads
  qkv = x |> dense(3 * d, bias)
  query[.., h: heads, i, c: size] = qkv[.., i, size*h + c]
  key[.., h: heads, j, c: size]   = qkv[.., j, d + size*h + c]
  value[.., h: heads, j, c: size] = qkv[.., j, 2*d + size*h + c]
  score[.., h, i, j] = sum[c](query[.., h, i, c] * key[.., h, j, c]) / sqrt(size)
  weights[.., h, i, j] = softmax[j]((causal ? j <= i and mask[.., j] != 0 : mask[.., j] != 0) ? score[.., h, i, j] : -inf)
  mixed[.., h, i, c] = sum[j](weights[.., h, i, j] * value[.., h, j, c])
  joined[.., i, o: d] = mixed[.., o / size, i, mod(o, size)]
  y = joined |> dense(d, bias)
}

// Queries from x, keys and values from a memory of any length
layer cross_attention(x[.., s, d], memory[.., t, m], heads, bias = true) -> y[.., s, d] {
  dim size = d / heads
  q  = x |> dense(d, bias)
  kv = memory |> dense(2 * d, bias)
  query[.., h: heads, i, c: size] = q[.., i, size*h + c]
  key[.., h: heads, j, c: size]   = kv[.., j, size*h + c]
  value[.., h: heads, j, c: size] = kv[.., j, d + size*h + c]
  score[.., h, i, j] = sum[c](query[.., h, i, c] * key[.., h, j, c]) / sqrt(size)
  weights[.., h, i, j] = softmax[j](score[.., h, i, j])
  mixed[.., h, i, c] = sum[j](weights[.., h, i, j] * value[.., h, j, c])
  joined[.., i, o: d] = mixed[.., o / size, i, mod(o, size)]
  y = joined |> dense(d, bias)
}

layer masked_cross_attention(x[.., s, d], memory[.., t, m], mask[.., t], heads, bias = true) -> y[.., s, d] {
  dim size = d / heads
  q  = x |> dense(d, bias)
  kv = memory |> dense(2 * d, bias)
  query[.., h: heads, i, c: size] = q[.., i, size*h + c]
  key[.., h: heads, j, c: size]   = kv[.., j, size*h + c]
  value[.., h: heads, j, c: size] = kv[.., j, d + size*h + c]
  score[.., h, i, j] = sum[c](query[.., h, i, c] * key[.., h, j, c]) / sqrt(size)
  weights[.., h, i, j] = softmax[j](mask[.., j] != 0 ? score[.., h, i, j] : -inf)
  mixed[.., h, i, c] = sum[j](weights[.., h, i, j] * value[.., h, j, c])
  joined[.., i, o: d] = mixed[.., o / size, i, mod(o, size)]
  y = joined |> dense(d, bias)
}

// gelu(x W1 + b1) W2 + b2, as wide as x in the end
layer feed_forward(x[.., d], hidden = 4 * d) -> y[.., d] {
  inner = x |> dense(hidden) |> gelu
  y     = inner |> dense(d)
}

// u = x + attention(norm(x)), y = u + feed_forward(norm(u)): normalised before each half (Xiong et al. 2020), as in GPT-2
layer transformer_block(x[.., t, d], heads, hidden = 4 * d, causal = true, eps = 1e-5) -> y[.., t, d] {
  attended = x |> layer_norm(eps) |> multi_head_attention(heads, causal)
  u        = x + attended
  fed      = u |> layer_norm(eps) |> feed_forward(hidden)
  y        = u + fed
}

// A block that also looks at a memory, between the two halves: the decoder of Vaswani et al. 2017, normalised before
layer decoder_block(x[.., s, d], memory[.., t, m], heads, hidden = 4 * d, eps = 1e-5) -> y[.., s, d] {
  attended = x |> layer_norm(eps) |> multi_head_attention(heads, causal = true)
  u        = x + attended
  looked   = u |> layer_norm(eps) |> cross_attention(memory, heads)
  w        = u + looked
  fed      = w |> layer_norm(eps) |> feed_forward(hidden)
  y        = w + fed
}
