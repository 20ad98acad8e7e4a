// Made from the .dsl files of this folder by `npm run prelude`. Change those, not this.
import type { Source } from '../diagnostics/source.ts';

export const library: readonly Source[] = [
  {
    path: 'prelude/activations.dsl',
    text: `// Activations and small helpers. Elementwise unless they bind an index.
// Operators of the language, not defined here: exp expm1 log log1p log2 sqrt abs sign floor ceil round sin cos tan asin
// acos atan sinh cosh tanh asinh acosh atanh erf sigmoid softplus relu stop_gradient max min pow atan2 mod.

// ------------------------------------------------------------------------------------------------------------- helpers

fn identity(x) = x
fn square(x) = x^2
fn reciprocal(x) = 1 / x
fn rsqrt(x) = 1 / sqrt(x)

// condition ≠ 0 ? a : b, value and gradient of the chosen branch only
fn where(condition, a, b) = condition ? a : b

// x held inside [low, high]; the derivative is 1 inside and at the bounds, 0 outside (PyTorch's clamp)
fn clip(x, low, high) = x < low ? low : x > high ? high : x

// ------------------------------------------------------------------------------------- the gradient is not the value's

// round(x), with the derivative of x: the straight-through estimator (Bengio, Léonard & Courville 2013)
fn straight_through_round(x) = round(x)
derivative straight_through_round(x) = 1

// 1 for x > 0, else -1, with derivative 1 where |x| ≤ 1, else 0 (Hubara et al. 2016, binarised neural networks)
fn straight_through_sign(x) = x > 0 ? 1 : -1
derivative straight_through_sign(x) = abs(x) <= 1 ? 1 : 0

// x, and its gradient times -λ on the way back: what trains a part against the rest (Ganin & Lempitsky 2015)
fn gradient_reversal(x, lambda = 1) = x
derivative gradient_reversal(x, lambda) = -lambda, 0

// ----------------------------------------------------------------------------------------------------- piecewise linear

// max(0, x) with a slope on the left; the derivative at 0 is \`slope\` (Maas et al. 2013)
fn leaky_relu(x, slope = 0.01) = x > 0 ? x : slope * x

// min(max(0, x), 6); the derivative at 0 and at 6 is 0 (Krizhevsky 2010)
fn relu6(x) = min(max(x, 0), 6)

// min(max(0, x + 3), 6) / 6; the derivative at -3 and at 3 is 0 (PyTorch's variant, Howard et al. 2019)
fn hard_sigmoid(x) = min(max(x + 3, 0), 6) / 6

// x · hard_sigmoid(x) (Howard et al. 2019, MobileNetV3)
fn hard_swish(x) = x * hard_sigmoid(x)

// ---------------------------------------------------------------------------------------------------------- exponential

// x for x > 0, else α (eˣ - 1); the derivative at 0 is α (Clevert et al. 2016)
fn elu(x, alpha = 1) = x > 0 ? x : alpha * expm1(x)

// elu with the scale that keeps mean 0 and variance 1 from layer to layer (Klambauer et al. 2017)
fn selu(x) = 1.0507009873554805 * elu(x, 1.6732632423543772)

// x for x > 0, else α (e^(x/α) - 1), once differentiable for every α (Barron 2017)
fn celu(x, alpha = 1) = x > 0 ? x : alpha * expm1(x / alpha)

// log(1 + e^(βx)) / β; without β it is the operator softplus(x)
fn softplus_beta(x, beta = 1) = softplus(beta * x) / beta

// log σ(x) = -log(1 + e⁻ˣ)
fn log_sigmoid(x) = -softplus(-x)

// x / (1 + |x|)
fn softsign(x) = x / (1 + abs(x))

// ---------------------------------------------------------------------------------------------------------------- gated

// x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016)
fn gelu(x) = 0.5 * x * (1 + erf(x / sqrt(2)))

// the tanh approximation of gelu (same paper; used by GPT-2)
fn gelu_tanh(x) = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))

// x σ(x) (Elfwing et al. 2017)
fn silu(x) = x * sigmoid(x)

// x σ(βx) (Ramachandran et al. 2017)
fn swish(x, beta = 1) = x * sigmoid(beta * x)

// x tanh(log(1 + eˣ)) (Misra 2019)
fn mish(x) = x * tanh(softplus(x))

// ----------------------------------------------------------------------------------------------------------- over an index

// eᶻ / Σₖ eᶻ, written with logsumexp so that no exponential overflows
fn softmax[k](z) = exp(z - logsumexp[k](z))

// z - log Σₖ eᶻ
fn log_softmax[k](z) = z - logsumexp[k](z)

// --------------------------------------------------------------------------------------------------------------- layers

// Gated linear unit (Dauphin et al. 2017): the first half of the last axis, gated by the second half.
// (\`else 0\` is never needed: it says that f does not run over the whole axis.)
layer glu(x[.., c]) -> y[.., c / 2] {
  y[.., f: c / 2] = (x[.., f] else 0) * sigmoid(x[.., c / 2 + f])
}

// leaky_relu with a learned slope per channel, the last axis (He et al. 2015)
layer prelu(x[.., c], slope = 0.25) -> y[.., c] {
  param a[c] ~ constant(slope)
  y[.., j] = leaky_relu(x[.., j], a[j])
}
`,
  },
  {
    path: 'prelude/attention.dsl',
    text: `// Attention (Vaswani et al. 2017): sequences [.., time, feature]. Softmax runs over the keys; with \`causal\` the query at i
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
// these into heads; what the heads give is put together again and goes through the last \`dense\`.
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
`,
  },
  {
    path: 'prelude/convolution.dsl',
    text: `// Convolutions over pictures [n, height, width, channel] and sequences [n, time, channel]: channels last. As everywhere in
// deep learning these are cross-correlations, the window is not turned around. Windows are square, and one number says
// what holds for both axes. A window of \`size\` with \`dilation\` reaches over dilation (size - 1) + 1 places; places outside
// of x are 0; a last window that does not fit is left out:
//   out = floor((h + 2 pad - dilation (size - 1) - 1) / stride) + 1
// With stride 1, an odd size and pad = dilation (size - 1) / 2, out = h. First values: He et al. 2015, for relu.

// y[n, i, j, f] = b[f] + Σ x[n, stride i + dilation u - pad, stride j + dilation v - pad, d] K[u, v, d, f]
// (LeCun et al. 1998). With groups, both channels are cut into that many runs, and f sees the channels of its own run
// (Krizhevsky et al. 2012).
layer conv2d(x[n, h, w, c], filters, size, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, init = he_normal) -> y[n, rows, columns, filters] {
  require pad >= 0, "pad must not be negative"
  dim reach   = dilation * (size - 1) + 1, own = c / groups, made = filters / groups
  dim rows    = floor((h + 2 * pad - reach) / stride) + 1
  dim columns = floor((w + 2 * pad - reach) / stride) + 1
  param K[size, size, own, filters] ~ init
  param b[filters]                  ~ zeros
  y[n, i: rows, j: columns, f] =
    sum[u, v, d]((x[n, stride*i + dilation*u - pad, stride*j + dilation*v - pad, f / made * own + d] else 0)
      * K[u, v, d, f]) + (bias ? b[f] : 0)
}

// The same over time: y[n, i, f] = b[f] + Σ x[n, stride i + dilation u - pad, d] K[u, d, f]. With \`causal\`, pad is
// dilation (size - 1), before the first step only: y at i does not see x after stride i (van den Oord et al. 2016).
layer conv1d(x[n, t, c], filters, size, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, causal = false, init = he_normal) -> y[n, steps, filters] {
  require pad >= 0, "pad must not be negative"
  require not causal or pad == 0, "a causal convolution is padded before the first step only: leave out pad"
  dim reach = dilation * (size - 1) + 1, own = c / groups, made = filters / groups
  dim steps = floor((t + (causal ? reach - 1 : 2 * pad) - reach) / stride) + 1
  param K[size, own, filters] ~ init
  param b[filters]            ~ zeros
  y[n, i: steps, f] =
    sum[u, d]((x[n, stride*i + dilation*u - (causal ? reach - 1 : pad), f / made * own + d] else 0) * K[u, d, f])
      + (bias ? b[f] : 0)
}

// Every channel by itself, \`multiplier\` filters for each (Chollet 2017): conv2d with as many groups as channels.
//   y[n, i, j, f] = b[f] + Σ x[n, stride i + dilation u - pad, stride j + dilation v - pad, f / multiplier] K[u, v, f]
layer depthwise_conv2d(x[n, h, w, c], size, stride = 1, pad = 0, dilation = 1, multiplier = 1, bias = true, init = he_normal) -> y[n, rows, columns, filters] {
  require pad >= 0, "pad must not be negative"
  dim reach   = dilation * (size - 1) + 1, filters = c * multiplier
  dim rows    = floor((h + 2 * pad - reach) / stride) + 1
  dim columns = floor((w + 2 * pad - reach) / stride) + 1
  param K[size, size, filters] ~ init
  param b[filters]             ~ zeros
  y[n, i: rows, j: columns, f] =
    sum[u, v]((x[n, stride*i + dilation*u - pad, stride*j + dilation*v - pad, f / multiplier] else 0) * K[u, v, f])
      + (bias ? b[f] : 0)
}

// The transpose of conv2d, from small to large (Dumoulin & Visin 2016): x[n, i, j, d] K[u, v, d, f] is added to
// y[n, stride i + dilation u - pad, stride j + dilation v - pad, f]. \`more\` rows and columns are added at the end, of
// those that conv2d with this stride would leave out:  out = (h - 1) stride - 2 pad + dilation (size - 1) + more + 1
layer conv_transpose2d(x[n, h, w, c], filters, size, stride = 1, pad = 0, dilation = 1, more = 0, bias = true, init = he_normal) -> y[n, rows, columns, filters] {
  require pad >= 0, "pad must not be negative"
  dim rows    = (h - 1) * stride - 2 * pad + dilation * (size - 1) + more + 1
  dim columns = (w - 1) * stride - 2 * pad + dilation * (size - 1) + more + 1
  param K[size, size, c, filters] ~ init
  param b[filters]                ~ zeros
  y[n, i: rows, j: columns, f] =
    sum[u, v, d]((x[n, exact((i + pad - dilation*u) / stride), exact((j + pad - dilation*v) / stride), d] else 0) * K[u, v, d, f])
      + (bias ? b[f] : 0)
}
`,
  },
  {
    path: 'prelude/embedding.dsl',
    text: `// Tables of vectors for integers, and what tells positions apart.

// y[.., d] = E[tokens[..], d], tokens an integer tensor below \`count\`. A token equal to \`padding\` gives zeros and has no
// gradient; -1, as no token is, for none.
layer embedding(tokens[..], count, units, deviation = 0.02, padding = -1) -> y[.., units] {
  param E[count, units] ~ normal(0, deviation)
  y[.., d] = padding < 0 ? E[tokens[..], d] : tokens[..] == padding ? 0 : E[tokens[..], d]
}

// x[.., t, d] plus a learned vector for each t (Gehring et al. 2017)
layer learned_positions(x[.., steps, units], deviation = 0.02) -> y[.., steps, units] {
  param P[steps, units] ~ normal(0, deviation)
  y[.., t, d] = x[.., t, d] + P[t, d]
}

// sin(t / base^(d / units)) for even d, the cosine of the same angle for the odd d after it (Vaswani et al. 2017)
fn sinusoid(t, d, units, base = 10000) {
  angle = t / base^(2 * floor(d / 2) / units)
  return mod(d, 2) == 0 ? sin(angle) : cos(angle)
}

// x[.., t, d] + sinusoid(t, d, units)
layer sinusoidal_positions(x[.., steps, units], base = 10000) -> y[.., steps, units] {
  P[t: steps, d: units] = sinusoid(t, d, units, base)
  y[.., t, d] = x[.., t, d] + P[t, d]
}
`,
  },
  {
    path: 'prelude/layers.dsl',
    text: `// Layers. \`..\` stands for any number of leading axes.

// y = x W + b, or x W
layer dense(x[.., i], units, bias = true, init = glorot_uniform) -> y[.., units] {
  param W[i, units] ~ init
  param b[units]    ~ zeros
  y[.., o] = sum[i](x[.., i] * W[i, o]) + (bias ? b[o] : 0)
}

// In training each element is 0 with probability \`rate\`, and the others are divided by 1 - rate, so that the mean stays
// (Srivastava et al. 2014, with the scale of inference moved into training); in inference y = x.
layer dropout(x[..], rate = 0.5) -> y[..] {
  random keep[..] ~ bernoulli(1 - rate)
  y[..] = not training ? x[..] : rate < 1 ? x[..] * keep[..] / (1 - rate) : 0 * x[..]
}

// dense with a low-rank update of W, y = x (W + alpha/rank A B) + b, A = W_A and B = W_B (Hu et al. 2021). W and b are those
// of dense, to be loaded and frozen; at first B is 0, so that y is what it was.
layer lora_dense(x[.., i], units, rank, alpha, bias = true) -> y[.., units] {
  param W[i, units]      ~ glorot_uniform
  param b[units]         ~ zeros
  param W_A[i, rank]     ~ lecun_normal
  param W_B[rank, units] ~ zeros
  low[.., r] = alpha / rank * sum[i](x[.., i] * W_A[i, r])
  y[.., o]   = sum[i](x[.., i] * W[i, o]) + (bias ? b[o] : 0) + sum[r](low[.., r] * W_B[r, o])
}
`,
  },
  {
    path: 'prelude/losses.dsl',
    text: `// Losses. Elementwise, or over one index (the classes, the features), so that the model says how they are averaged:
//   loss = mean[n](cross_entropy[k](z[n, k], label[n]))
// Names: p a prediction or a probability, y a target, z logits (unbounded scores), l log-probabilities or log-rates,
// label a class 0, 1, ...; k == label is 1 for the class of the label and 0 for the others.

// ----------------------------------------------------------------------------------------------------------- regression

// (p - y)²
fn squared_error(p, y) = (p - y)^2

// |p - y|; the derivative at p = y is 0
fn absolute_error(p, y) = abs(p - y)

// u²/2 for |u| ≤ δ, else δ (|u| - δ/2), u = p - y (Huber 1964)
fn huber(p, y, delta = 1) {
  u = p - y
  return abs(u) <= delta ? u^2 / 2 : delta * (abs(u) - delta / 2)
}

// u²/(2β) for |u| < β, else |u| - β/2, u = p - y (Girshick 2015): huber / δ
fn smooth_l1(p, y, beta = 1) {
  u = p - y
  return abs(u) < beta ? u^2 / (2 * beta) : abs(u) - beta / 2
}

// log cosh(p - y), as log(1 + e²ᵘ) - u - log 2, which does not overflow
fn log_cosh(p, y) {
  u = p - y
  return softplus(2 * u) - u - log(2)
}

// -log of the normal density with mean m and variance v > 0, without the constant log(2π)/2 (Nix & Weigend 1994)
fn gaussian_nll(m, y, v) = (log(v) + (m - y)^2 / v) / 2

// -log of the Poisson probability of y at rate eˡ, without the constant log(y!)
fn poisson_nll(l, y) = exp(l) - y * l

// ---------------------------------------------------------------------------------------------------------- two classes

// -(y log p + (1 - y) log(1 - p)), p in (0, 1); of p = sigmoid(z) the compiler makes the form without logarithms of 0
fn binary_cross_entropy(p, y) = -(y * log(p) + (1 - y) * log(1 - p))

// The same where p may be exactly 0 or 1: as in PyTorch no logarithm is below -100, and the derivative is
// (p - y) / max(p (1 - p), 1e-12). (p - stop_gradient(p) is 0 and has derivative 1.)
fn binary_cross_entropy_clamped(p, y) {
  value = -(y * max(log(p), -100) + (1 - y) * max(log(1 - p), -100))
  slope = (p - y) / 1e-12
  return p * (1 - p) >= 1e-12
    ? binary_cross_entropy(p, y)
    : stop_gradient(value) + (p - stop_gradient(p)) * stop_gradient(slope)
}

// binary_cross_entropy(sigmoid(z), y) = log(1 + eᶻ) - z y
fn bce_logits(z, y) = softplus(z) - z * y

// -(q y log σ(z) + (1 - y) log(1 - σ(z))), q the weight of the positive class
fn bce_logits_weighted(z, y, pos_weight) = pos_weight * y * softplus(-z) + (1 - y) * softplus(z)

// -(1 - pₜ)^γ log pₜ, pₜ = σ(z) if y = 1 else 1 - σ(z), which is σ(u) with u = (2y - 1) z (Lin et al. 2017)
fn focal(z, y, gamma = 2) {
  u = (2 * y - 1) * z
  return sigmoid(-u)^gamma * softplus(-u)
}

// max(0, margin - y z), y = -1 or 1
fn hinge(z, y, margin = 1) = max(0, margin - y * z)
fn squared_hinge(z, y, margin = 1) = max(0, margin - y * z)^2

// --------------------------------------------------------------------------------------------------------- many classes

// -log softmax(z) at the label. With smoothing s the target is (1 - s) [k = label] + s/K (Szegedy et al. 2016).
fn cross_entropy[k](z, label, smoothing = 0) =
  smoothing == 0
    ? logsumexp[k](z) - sum[k]((k == label) * z)
    : logsumexp[k](z) - (1 - smoothing) * sum[k]((k == label) * z) - smoothing * mean[k](z)

// -Σₖ wₖ qₖ log softmax(z)ₖ, w[k] a weight per class, q as above. PyTorch's mean divides by the weights of the labels:
//   loss = sum[n](cross_entropy_weighted[k](z[n, k], label[n], w[k])) / sum[n](w[label[n]])
fn cross_entropy_weighted[k](z, label, w, smoothing = 0) {
  l = w * (logsumexp[k](z) - z)
  return smoothing == 0
    ? sum[k]((k == label) * l)
    : (1 - smoothing) * sum[k]((k == label) * l) + smoothing * mean[k](l)
}

// cross_entropy of the rows whose label is not \`ignored\`, 0 for the others; mean over the rows that count:
//   loss = sum[n](cross_entropy_ignoring[k](z[n, k], label[n], -100)) / sum[n](label[n] != -100)
fn cross_entropy_ignoring[k](z, label, ignored = -100) =
  label == ignored ? 0 : logsumexp[k](z) - sum[k]((k == label) * z)

// -Σₖ yₖ log softmax(z)ₖ: y[k] a distribution (or one-hot), differentiable too
fn cross_entropy_soft[k](z, y) = sum[k](y * (logsumexp[k](z) - z))

// -Σₖ yₖ log pₖ of probabilities, y[k] a distribution; nothing is clamped
fn cross_entropy_probabilities[k](p, y) = -sum[k](y * log(p))

// -l at the label, l = log-probabilities; with a weight per class w[k]
fn nll[k](l, label, w = 1) = -sum[k]((k == label) * w * l)

// One term of KL(q ‖ p) = Σ q (log q - log p), from l = log p; 0 where q = 0
fn kl_divergence(l, q) = q > 0 ? q * (log(q) - l) : 0

// KL between softmax(u / T) and softmax(z / T), times T² (Hinton et al. 2015): u the teacher, z the student
fn distillation[k](u, z, temperature = 1) {
  a = log_softmax[k](u / temperature)
  b = log_softmax[k](z / temperature)
  return temperature^2 * sum[k](exp(a) * (a - b))
}

// (1/K) Σ over k ≠ label of max(0, margin - z at the label + zₖ) (Crammer & Singer 2001)
fn multi_margin[k](z, label, margin = 1) {
  own = sum[k]((k == label) * z)
  return mean[k](k == label ? 0 : max(0, margin - own + z))
}

// ---------------------------------------------------------------------------------------------------------- distances

// a·b / (‖a‖ ‖b‖), no norm below eps
fn cosine_similarity[k](a, b, eps = 1e-8) =
  sum[k](a * b) / (max(sqrt(sum[k](a^2)), eps) * max(sqrt(sum[k](b^2)), eps))

// 1 - c for y = 1, max(0, c - margin) for y = -1, c the cosine similarity
fn cosine_embedding[k](a, b, y, margin = 0) {
  c = cosine_similarity[k](a, b)
  return y == 1 ? 1 - c : max(0, c - margin)
}

// max(0, ‖a - p + eps‖ - ‖a - q + eps‖ + margin), p like the anchor a, q unlike it (Schroff et al. 2015)
fn triplet_margin[k](a, p, q, margin = 1, eps = 1e-6) =
  max(0, sqrt(sum[k]((a - p + eps)^2)) - sqrt(sum[k]((a - q + eps)^2)) + margin)

// ------------------------------------------------------------------------------------------------------------ penalties

// λ/2 Σ W²
fn l2(W, lambda) = lambda / 2 * sum(W^2)

// λ/2 Σ (W - W₀)²: L2-SP, the pull towards the weights W₀ that a fine-tuning started from (Li et al. 2018)
fn l2_sp(W, start, lambda) = lambda / 2 * sum((W - start)^2)

// λ Σ |W|; the derivative at 0 is 0
fn l1(W, lambda) = lambda * sum(abs(W))

// λ (α Σ|W| + (1 - α)/2 Σ W²) (Zou & Hastie 2005)
fn elastic(W, lambda, alpha = 0.5) = lambda * (alpha * sum(abs(W)) + (1 - alpha) / 2 * sum(W^2))

// -------------------------------------------------------------------------------------------------------------- metrics

// 1 if the greatest score is the label's
fn accuracy[k](z, label) = argmax[k](z) == label

// 1 if fewer than \`top\` scores are greater than the label's
fn top_accuracy[k](z, label, top = 5) {
  own = sum[k]((k == label) * z)
  return sum[k](z > own) < top
}

// 1 if the probability is on the side of the target
fn binary_accuracy(p, y, threshold = 0.5) = (p > threshold) == (y > 0.5)
`,
  },
  {
    path: 'prelude/normalisation.dsl',
    text: `// Normalisation: (x - m) / sqrt(v + eps) times a gain, plus a shift; but for batch_norm each row by itself. m is a mean and
// v the mean square distance from it (divided by the number of values, not one less).

// Over an index: (x - m) / sqrt(v + eps)
fn standardise[k](x, eps = 1e-5) {
  centred = x - mean[k](x)
  return centred / sqrt(mean[k](centred^2) + eps)
}

// Over the last axis (Ba, Kiros & Hinton 2016)
layer layer_norm(x[.., c], eps = 1e-5, bias = true) -> y[.., c] {
  require eps >= 0, "eps must not be negative"
  param g[c] ~ ones
  param b[c] ~ zeros
  m[..] = mean[k](x[.., k])
  v[..] = mean[k]((x[.., k] - m[..])^2)
  y[.., k] = (x[.., k] - m[..]) / sqrt(v[..] + eps) * g[k] + (bias ? b[k] : 0)
}

// x / sqrt(mean of x² + eps), over the last axis, times a gain (Zhang & Sennrich 2019)
layer rms_norm(x[.., c], eps = 1e-6) -> y[.., c] {
  require eps >= 0, "eps must not be negative"
  param g[c] ~ ones
  r[..] = sqrt(mean[k](x[.., k]^2) + eps)
  y[.., k] = x[.., k] / r[..] * g[k]
}

// Pictures [n, height, width, channel], sequences [n, time, channel]: over all places and each of \`groups\` runs of channels
// (Wu & He 2018). With one group this is layer_norm over places and channels, with a gain for each channel.
layer group_norm(x[n, .., c], groups, eps = 1e-5) -> y[n, .., c] {
  require eps >= 0, "eps must not be negative"
  dim own = c / groups
  param g[c] ~ ones
  param b[c] ~ zeros
  m[n, a: groups] = mean[.., k: own](x[n, .., own*a + k])
  v[n, a: groups] = mean[.., k: own]((x[n, .., own*a + k] - m[n, a])^2)
  y[n, .., k] = (x[n, .., k] - m[n, k / own]) / sqrt(v[n, k / own] + eps) * g[k] + b[k]
}

// The same: over all places, each channel by itself (Ulyanov et al. 2016)
layer instance_norm(x[n, .., c], eps = 1e-5) -> y[n, .., c] {
  require eps >= 0, "eps must not be negative"
  param g[c] ~ ones
  param b[c] ~ zeros
  m[n, k] = mean[..](x[n, .., k])
  v[n, k] = mean[..]((x[n, .., k] - m[n, k])^2)
  y[n, .., k] = (x[n, .., k] - m[n, k]) / sqrt(v[n, k] + eps) * g[k] + b[k]
}

// Each channel (the last axis) over all rows and places of the batch (Ioffe & Szegedy 2015, algorithms 1 and 2). In
// inference by the running statistics, which move by \`momentum\` towards those of each batch, as in PyTorch; the running
// variance has one less than the number of values under it, and stays as it is where there is one value.
layer batch_norm(x[.., c], momentum = 0.1, eps = 1e-5) -> y[.., c] {
  require eps >= 0, "eps must not be negative"
  param gamma[c] ~ ones
  param beta[c]  ~ zeros
  state running_mean[c]     ~ zeros
  state running_variance[c] ~ ones
  count = sum[..](1)
  batch_mean[k]     = mean[..](x[.., k])
  batch_variance[k] = mean[..]((x[.., k] - batch_mean[k])^2)
  running_mean'[k]     = (1 - momentum) * running_mean[k] + momentum * batch_mean[k]
  running_variance'[k] = count == 1 ? running_variance[k]
                         : (1 - momentum) * running_variance[k] + momentum * batch_variance[k] * (count / (count - 1))
  m[k] = training ? batch_mean[k] : running_mean[k]
  v[k] = training ? batch_variance[k] : running_variance[k]
  y[.., k] = (x[.., k] - m[k]) / sqrt(v[k] + eps) * gamma[k] + beta[k]
}

// batch_norm that always goes by the statistics it was given: for a network that is tuned with \`freeze\`. All four are
// parameters, of the names that batch_norm has, to be loaded and frozen.
layer frozen_batch_norm(x[.., c], eps = 1e-5) -> y[.., c] {
  param gamma[c] ~ ones
  param beta[c]  ~ zeros
  param running_mean[c]     ~ zeros
  param running_variance[c] ~ ones
  y[.., k] = (x[.., k] - running_mean[k]) / sqrt(running_variance[k] + eps) * gamma[k] + beta[k]
}
`,
  },
  {
    path: 'prelude/optimizers.dsl',
    text: `// Optimizers: one step for a parameter p with gradient g (after clipping), elementwise. m' is the next value of the
// state m. t counts the steps from 1, step = t - 1. Hyper-parameters are constants unless a schedule gives them; a state
// that nothing reads, once they are put in, is not kept. Names and defaults are PyTorch's, formulas of the papers named.
// weight_decay adds weight_decay · p to the gradient (coupled L2), in adamw, lion and lamb it acts on p (decoupled).

// Stochastic gradient descent, with momentum as PyTorch counts it: u is g at the first step, dampened only afterwards
// (Polyak 1964; nesterov: Sutskever et al. 2013).
optimizer sgd(rate = 1e-3, momentum = 0, dampening = 0, nesterov = false, weight_decay = 0) {
  state u ~ zeros
  d  = g + weight_decay * p
  u' = momentum == 0 ? d : momentum * u + (t == 1 ? 1 : 1 - dampening) * d
  p' = p - rate * (nesterov ? d + momentum * u' : u')
}

// Heavy ball: sgd with momentum (Polyak 1964)
optimizer momentum(rate = 1e-3, momentum = 0.9, dampening = 0, weight_decay = 0) {
  state u ~ zeros
  d  = g + weight_decay * p
  u' = momentum * u + (t == 1 ? 1 : 1 - dampening) * d
  p' = p - rate * u'
}

// Nesterov's accelerated gradient in the form of Sutskever et al. 2013
optimizer nesterov(rate = 1e-3, momentum = 0.9, weight_decay = 0) {
  state u ~ zeros
  d  = g + weight_decay * p
  u' = momentum * u + d
  p' = p - rate * (d + momentum * u')
}

// Hinton 2012; centered: Graves 2013
optimizer rmsprop(rate = 1e-2, alpha = 0.99, eps = 1e-8, centered = false, momentum = 0, weight_decay = 0) {
  state v ~ zeros, a ~ zeros, u ~ zeros
  d  = g + weight_decay * p
  v' = alpha * v + (1 - alpha) * d^2
  a' = alpha * a + (1 - alpha) * d
  u' = momentum * u + d / (sqrt(centered ? v' - a'^2 : v') + eps)
  p' = p - rate * u'
}

// Duchi, Hazan & Singer 2011
optimizer adagrad(rate = 1e-2, rate_decay = 0, initial = 0, eps = 1e-10, weight_decay = 0) {
  state s ~ constant(initial)
  d  = g + weight_decay * p
  s' = s + d^2
  p' = p - rate / (1 + step * rate_decay) * d / (sqrt(s') + eps)
}

// Zeiler 2012: a is the mean square of the updates
optimizer adadelta(rate = 1, rho = 0.9, eps = 1e-6, weight_decay = 0) {
  state v ~ zeros, a ~ zeros
  d  = g + weight_decay * p
  v' = rho * v + (1 - rho) * d^2
  u  = sqrt(a + eps) / sqrt(v' + eps) * d
  a' = rho * a + (1 - rho) * u^2
  p' = p - rate * u
}

// Kingma & Ba 2015, algorithm 1; amsgrad: Reddi, Kale & Kumar 2018
optimizer adam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, amsgrad = false) {
  state m ~ zeros, v ~ zeros, w ~ zeros
  d  = g + weight_decay * p
  m' = beta1 * m + (1 - beta1) * d
  v' = beta2 * v + (1 - beta2) * d^2
  w' = amsgrad ? max(w, v') : v'
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  p' = p - rate * (m' / c1) / (sqrt(w' / c2) + eps)
}

// Reddi, Kale & Kumar 2018: adam that never forgets its greatest v
optimizer amsgrad(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0) {
  state m ~ zeros, v ~ zeros, w ~ zeros
  d  = g + weight_decay * p
  m' = beta1 * m + (1 - beta1) * d
  v' = beta2 * v + (1 - beta2) * d^2
  w' = max(w, v')
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  p' = p - rate * (m' / c1) / (sqrt(w' / c2) + eps)
}

// Loshchilov & Hutter 2019: the decay acts on p, not through the moments
optimizer adamw(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2, amsgrad = false) {
  state m ~ zeros, v ~ zeros, w ~ zeros
  m' = beta1 * m + (1 - beta1) * g
  v' = beta2 * v + (1 - beta2) * g^2
  w' = amsgrad ? max(w, v') : v'
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  p' = p - rate * weight_decay * p - rate * (m' / c1) / (sqrt(w' / c2) + eps)
}

// Kingma & Ba 2015, section 7.1: adam with the norm of order ∞
optimizer adamax(rate = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0) {
  state m ~ zeros, u ~ zeros
  d  = g + weight_decay * p
  m' = beta1 * m + (1 - beta1) * d
  u' = max(beta2 * u, abs(d) + eps)
  c1 = 1 - beta1^t
  p' = p - rate / c1 * m' / u'
}

// Dozat 2016: adam with Nesterov momentum; P is the product of the momenta so far (PyTorch ≥ 2.0)
optimizer nadam(rate = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, momentum_decay = 4e-3) {
  state m ~ zeros, v ~ zeros, P[] ~ ones
  d    = g + weight_decay * p
  mu   = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))
  next = beta1 * (1 - 0.5 * 0.96^((t + 1) * momentum_decay))
  P'   = P * mu
  m'   = beta1 * m + (1 - beta1) * d
  v'   = beta2 * v + (1 - beta2) * d^2
  c1   = rate * (1 - mu) / (1 - P')
  c2   = rate * next / (1 - P' * next)
  c3   = 1 - beta2^t
  p'   = p - (c1 * d + c2 * m') / (sqrt(v' / c3) + eps)
}

// Liu et al. 2020: adam whose rate is rectified while the variance of v is large, plain momentum before that
optimizer radam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0) {
  state m ~ zeros, v ~ zeros
  d   = g + weight_decay * p
  m'  = beta1 * m + (1 - beta1) * d
  v'  = beta2 * v + (1 - beta2) * d^2
  c1  = 1 - beta1^t
  c2  = 1 - beta2^t
  R   = 2 / (1 - beta2) - 1
  rho = R - 2 * t * beta2^t / c2
  r   = rho > 5 ? sqrt((rho - 4) * (rho - 2) * R / ((R - 4) * (R - 2) * rho)) * sqrt(c2) : 0
  p'  = p - rate * (m' / c1) * (rho > 5 ? r / (sqrt(v') + eps) : 1)
}

// Chen et al. 2023: the sign of an interpolated momentum
optimizer lion(rate = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0) {
  state m ~ zeros
  m' = beta2 * m + (1 - beta2) * g
  p' = p - rate * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)
}

// You et al. 2020: adam with a trust ratio for every parameter tensor
optimizer lamb(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0) {
  state m ~ zeros, v ~ zeros
  m' = beta1 * m + (1 - beta1) * g
  v' = beta2 * v + (1 - beta2) * g^2
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  r  = (m' / c1) / (sqrt(v' / c2) + eps) + weight_decay * p
  p_norm = sqrt(sum(p^2))
  r_norm = sqrt(sum(r^2))
  trust  = p_norm > 0 and r_norm > 0 ? p_norm / r_norm : 1
  p' = p - rate * trust * r
}
`,
  },
  {
    path: 'prelude/pooling.dsl',
    text: `// Pooling over pictures [n, height, width, channel] and sequences [n, time, channel], each channel by itself. Windows are
// square; a last window that does not fit is left out:  out = floor((h + 2 pad - size) / stride) + 1, pad < size.

// The greatest in the window; what is outside of x never wins. Of equal ones the first has the gradient.
layer max_pool2d(x[n, h, w, c], size, stride = size, pad = 0) -> y[n, rows, columns, c] {
  require pad < size, "pad must be less than size"
  dim rows = floor((h + 2 * pad - size) / stride) + 1, columns = floor((w + 2 * pad - size) / stride) + 1
  y[n, i: rows, j: columns, f] = max[u: size, v: size](x[n, stride*i + u - pad, stride*j + v - pad, f] else -inf)
}

layer max_pool1d(x[n, t, c], size, stride = size, pad = 0) -> y[n, steps, c] {
  require pad < size, "pad must be less than size"
  dim steps = floor((t + 2 * pad - size) / stride) + 1
  y[n, i: steps, f] = max[u: size](x[n, stride*i + u - pad, f] else -inf)
}

// How many of the places from a to a + size - 1 are among 0 .. extent - 1
fn places_inside(a, size, extent) = min(a + size, extent) - max(a, 0)

// The mean of the window (LeCun et al. 1998). Places outside of x are zeros that count; with count_pad = false they do not
// count, and the sum is divided by the number of places inside.
layer avg_pool2d(x[n, h, w, c], size, stride = size, pad = 0, count_pad = true) -> y[n, rows, columns, c] {
  require pad < size, "pad must be less than size"
  dim rows = floor((h + 2 * pad - size) / stride) + 1, columns = floor((w + 2 * pad - size) / stride) + 1
  y[n, i: rows, j: columns, f] = sum[u: size, v: size](x[n, stride*i + u - pad, stride*j + v - pad, f] else 0)
    / (count_pad or pad == 0 ? size^2 : places_inside(stride*i - pad, size, h) * places_inside(stride*j - pad, size, w))
}

layer avg_pool1d(x[n, t, c], size, stride = size, pad = 0, count_pad = true) -> y[n, steps, c] {
  require pad < size, "pad must be less than size"
  dim steps = floor((t + 2 * pad - size) / stride) + 1
  y[n, i: steps, f] = sum[u: size](x[n, stride*i + u - pad, f] else 0)
    / (count_pad or pad == 0 ? size : places_inside(stride*i - pad, size, t))
}

// Over all places: the mean (Lin et al. 2014), the greatest
layer global_avg_pool2d(x[n, _, _, c]) -> y[n, c] { y[n, f] = mean[i, j](x[n, i, j, f]) }
layer global_max_pool2d(x[n, _, _, c]) -> y[n, c] { y[n, f] = max[i, j](x[n, i, j, f]) }
layer global_avg_pool1d(x[n, _, c]) -> y[n, c] { y[n, f] = mean[i](x[n, i, f]) }
layer global_max_pool1d(x[n, _, c]) -> y[n, c] { y[n, f] = max[i](x[n, i, f]) }
`,
  },
  {
    path: 'prelude/recurrent.dsl',
    text: `// Recurrences over sequences [.., time, feature]: every step of h, from h = 0 before the first, or from h0 in the ones that
// are called _from. Gates stand side by side in W, U and b in PyTorch's order. The last step is \`h |> last_step\`; of padded
// sequences, whose padding comes last and so reaches no step before it, \`h |> last_valid(lengths)\`. \`x |> flip |> gru(8) |>
// flip\` runs from the end, layers in a row are stacked, and the bidirectional ones are both directions side by side.
//
// The masked ones take a mask[.., time] that is 1 for steps that count and 0 for padding, as masked_attention does: at a step
// that does not count the state stays as it is. With \`length_mask(lengths, steps)\` the last step is that of the last valid
// one, and what runs from the end begins there, with a state of zeros.

// h_t = tanh(x_t W + h_(t-1) U + b) (Elman 1990)
layer simple_rnn(x[.., t, i], units) -> h[.., t, units] {
  param W[i, units]     ~ glorot_uniform
  param U[units, units] ~ orthogonal
  param b[units]        ~ zeros
  scan t {
    h[.., t, o] = tanh(sum[i](x[.., t, i] * W[i, o]) + sum[p]((h[.., t - 1, p] else 0) * U[p, o]) + b[o])
  }
}

// Gates r, z, k (Cho et al. 2014; the reset gate after the product, as in cuDNN and PyTorch, hence a bias c of its own):
// r = σ(x Wr + br + h Ur + cr)   z = σ(x Wz + bz + h Uz + cz)   k = tanh(x Wk + bk + r (h Uk + ck))   h = (1 - z) k + z h
layer gru(x[.., t, i], units) -> h[.., t, units] {
  dim gates = 3 * units
  param W[i, gates]     ~ glorot_uniform
  param U[units, gates] ~ orthogonal
  param b[gates]        ~ zeros
  param c[gates]        ~ zeros
  a[.., t, g] = sum[i](x[.., t, i] * W[i, g]) + b[g]
  scan t {
    s[.., t, g] = sum[p]((h[.., t - 1, p] else 0) * U[p, g]) + c[g]
    r[.., t, o: units] = sigmoid(a[.., t, o] + s[.., t, o])
    z[.., t, o: units] = sigmoid(a[.., t, units + o] + s[.., t, units + o])
    k[.., t, o: units] = tanh(a[.., t, 2*units + o] + r[.., t, o] * s[.., t, 2*units + o])
    h[.., t, o] = (1 - z[.., t, o]) * k[.., t, o] + z[.., t, o] * (h[.., t - 1, o] else 0)
  }
}

// Gates i, f, g, o (Hochreiter and Schmidhuber 1997; Gers et al. 2000), each of x W + h U + b:
// c = σ(f) c + σ(i) tanh(g)   h = σ(o) tanh(c)
// Each function has a name, so that the backward pass reads its value instead of computing it again.
// The forget gate begins at σ(forget): 1 keeps more in the first steps of training (Jozefowicz et al. 2015).
layer lstm(x[.., t, i], units, forget = 0) -> h[.., t, units] {
  dim gates = 4 * units
  param W[i, gates]     ~ glorot_uniform
  param U[units, gates] ~ orthogonal
  param b[gates]        ~ zeros
  a[.., t, g] = sum[i](x[.., t, i] * W[i, g]) + b[g]
  scan t {
    s[.., t, g] = a[.., t, g] + sum[p]((h[.., t - 1, p] else 0) * U[p, g])
    input_gate[.., t, o: units]  = sigmoid(s[.., t, o])
    forget_gate[.., t, o: units] = sigmoid(s[.., t, units + o] + forget)
    candidate[.., t, o: units]   = tanh(s[.., t, 2*units + o])
    output_gate[.., t, o: units] = sigmoid(s[.., t, 3*units + o])
    c[.., t, o] = forget_gate[.., t, o] * (c[.., t - 1, o] else 0) + input_gate[.., t, o] * candidate[.., t, o]
    squashed[.., t, o] = tanh(c[.., t, o])
    h[.., t, o] = output_gate[.., t, o] * squashed[.., t, o]
  }
}

// From an h before the first step: the last step of a recurrence before, a state, or what an encoder gives
layer simple_rnn_from(x[.., t, i], h0[.., units]) -> h[.., t, units] {
  param W[i, units]     ~ glorot_uniform
  param U[units, units] ~ orthogonal
  param b[units]        ~ zeros
  scan t {
    before[.., t, p: units] = t == 0 ? h0[.., p] : h[.., t - 1, p]
    h[.., t, o] = tanh(sum[i](x[.., t, i] * W[i, o]) + sum[p](before[.., t, p] * U[p, o]) + b[o])
  }
}

layer gru_from(x[.., t, i], h0[.., units]) -> h[.., t, units] {
  dim gates = 3 * units
  param W[i, gates]     ~ glorot_uniform
  param U[units, gates] ~ orthogonal
  param b[gates]        ~ zeros
  param c[gates]        ~ zeros
  a[.., t, g] = sum[i](x[.., t, i] * W[i, g]) + b[g]
  scan t {
    before[.., t, p: units] = t == 0 ? h0[.., p] : h[.., t - 1, p]
    s[.., t, g] = sum[p](before[.., t, p] * U[p, g]) + c[g]
    r[.., t, o: units] = sigmoid(a[.., t, o] + s[.., t, o])
    z[.., t, o: units] = sigmoid(a[.., t, units + o] + s[.., t, units + o])
    k[.., t, o: units] = tanh(a[.., t, 2*units + o] + r[.., t, o] * s[.., t, 2*units + o])
    h[.., t, o] = (1 - z[.., t, o]) * k[.., t, o] + z[.., t, o] * before[.., t, o]
  }
}

// An LSTM has two states: y is h and c side by side, so that both can be carried on
layer lstm_from(x[.., t, i], h0[.., units], c0[.., units], forget = 0) -> y[.., t, both] {
  dim gates = 4 * units, both = 2 * units
  param W[i, gates]     ~ glorot_uniform
  param U[units, gates] ~ orthogonal
  param b[gates]        ~ zeros
  a[.., t, g] = sum[i](x[.., t, i] * W[i, g]) + b[g]
  scan t {
    s[.., t, g] = a[.., t, g] + sum[p: units]((t == 0 ? h0[.., p] : h[.., t - 1, p]) * U[p, g])
    input_gate[.., t, o: units]  = sigmoid(s[.., t, o])
    forget_gate[.., t, o: units] = sigmoid(s[.., t, units + o] + forget)
    candidate[.., t, o: units]   = tanh(s[.., t, 2*units + o])
    output_gate[.., t, o: units] = sigmoid(s[.., t, 3*units + o])
    c[.., t, o] = forget_gate[.., t, o] * (t == 0 ? c0[.., o] : c[.., t - 1, o]) + input_gate[.., t, o] * candidate[.., t, o]
    squashed[.., t, o] = tanh(c[.., t, o])
    h[.., t, o: units] = output_gate[.., t, o] * squashed[.., t, o]
  }
  y = concat(h, c)
}

// 1 for the first lengths[..] of \`steps\` steps, 0 for the padding after them
layer length_mask(lengths[..], steps) -> mask[.., steps] {
  mask[.., t: steps] = t < lengths[..]
}

layer masked_simple_rnn(x[.., t, i], mask[.., t], units) -> h[.., t, units] {
  param W[i, units]     ~ glorot_uniform
  param U[units, units] ~ orthogonal
  param b[units]        ~ zeros
  scan t {
    next[.., t, o] = tanh(sum[i](x[.., t, i] * W[i, o]) + sum[p: units]((h[.., t - 1, p] else 0) * U[p, o]) + b[o])
    h[.., t, o] = mask[.., t] != 0 ? next[.., t, o] : h[.., t - 1, o] else 0
  }
}

layer masked_gru(x[.., t, i], mask[.., t], units) -> h[.., t, units] {
  dim gates = 3 * units
  param W[i, gates]     ~ glorot_uniform
  param U[units, gates] ~ orthogonal
  param b[gates]        ~ zeros
  param c[gates]        ~ zeros
  a[.., t, g] = sum[i](x[.., t, i] * W[i, g]) + b[g]
  scan t {
    s[.., t, g] = sum[p]((h[.., t - 1, p] else 0) * U[p, g]) + c[g]
    r[.., t, o: units] = sigmoid(a[.., t, o] + s[.., t, o])
    z[.., t, o: units] = sigmoid(a[.., t, units + o] + s[.., t, units + o])
    k[.., t, o: units] = tanh(a[.., t, 2*units + o] + r[.., t, o] * s[.., t, 2*units + o])
    next[.., t, o: units] = (1 - z[.., t, o]) * k[.., t, o] + z[.., t, o] * (h[.., t - 1, o] else 0)
    h[.., t, o] = mask[.., t] != 0 ? next[.., t, o] : h[.., t - 1, o] else 0
  }
}

layer masked_lstm(x[.., t, i], mask[.., t], units, forget = 0) -> h[.., t, units] {
  dim gates = 4 * units
  param W[i, gates]     ~ glorot_uniform
  param U[units, gates] ~ orthogonal
  param b[gates]        ~ zeros
  a[.., t, g] = sum[i](x[.., t, i] * W[i, g]) + b[g]
  scan t {
    s[.., t, g] = a[.., t, g] + sum[p]((h[.., t - 1, p] else 0) * U[p, g])
    input_gate[.., t, o: units]  = sigmoid(s[.., t, o])
    forget_gate[.., t, o: units] = sigmoid(s[.., t, units + o] + forget)
    candidate[.., t, o: units]   = tanh(s[.., t, 2*units + o])
    output_gate[.., t, o: units] = sigmoid(s[.., t, 3*units + o])
    cell[.., t, o] = forget_gate[.., t, o] * (c[.., t - 1, o] else 0) + input_gate[.., t, o] * candidate[.., t, o]
    c[.., t, o] = mask[.., t] != 0 ? cell[.., t, o] : c[.., t - 1, o] else 0
    squashed[.., t, o] = tanh(c[.., t, o])
    h[.., t, o] = mask[.., t] != 0 ? output_gate[.., t, o] * squashed[.., t, o] : h[.., t - 1, o] else 0
  }
}

// From the last step to the first
layer flip(x[.., t, c]) -> y[.., t, c] {
  y[.., s: t, k] = x[.., t - 1 - s, k]
}

layer last_step(h[.., t, c]) -> y[.., c] {
  y[.., k] = h[.., t - 1, k]
}

// lengths[..] steps count, at least one
layer last_valid(h[.., t, c], lengths[..]) -> y[.., c] {
  y[.., k] = h[.., lengths[..] - 1, k]
}

// Each step beside the one of the sequence read from its end: 2 * units features
layer bidirectional_simple_rnn(x[.., t, i], units) -> y[.., t, both] {
  dim both = 2 * units
  forward  = x |> simple_rnn(units)
  backward = x |> flip |> simple_rnn(units) |> flip
  y = concat(forward, backward)
}

layer bidirectional_gru(x[.., t, i], units) -> y[.., t, both] {
  dim both = 2 * units
  forward  = x |> gru(units)
  backward = x |> flip |> gru(units) |> flip
  y = concat(forward, backward)
}

layer bidirectional_lstm(x[.., t, i], units) -> y[.., t, both] {
  dim both = 2 * units
  forward  = x |> lstm(units)
  backward = x |> flip |> lstm(units) |> flip
  y = concat(forward, backward)
}

layer masked_bidirectional_simple_rnn(x[.., t, i], mask[.., t], units) -> y[.., t, both] {
  dim both = 2 * units
  flipped[.., s: t] = mask[.., t - 1 - s]
  forward  = masked_simple_rnn(x, mask, units)
  backward = x |> flip |> masked_simple_rnn(flipped, units) |> flip
  y = concat(forward, backward)
}

layer masked_bidirectional_gru(x[.., t, i], mask[.., t], units) -> y[.., t, both] {
  dim both = 2 * units
  flipped[.., s: t] = mask[.., t - 1 - s]
  forward  = masked_gru(x, mask, units)
  backward = x |> flip |> masked_gru(flipped, units) |> flip
  y = concat(forward, backward)
}

layer masked_bidirectional_lstm(x[.., t, i], mask[.., t], units) -> y[.., t, both] {
  dim both = 2 * units
  flipped[.., s: t] = mask[.., t - 1 - s]
  forward  = masked_lstm(x, mask, units)
  backward = x |> flip |> masked_lstm(flipped, units) |> flip
  y = concat(forward, backward)
}
`,
  },
  {
    path: 'prelude/schedules.dsl',
    text: `// Schedules: the value of a hyper-parameter (mostly the rate) at step = 0, 1, 2, ...
//   optimizer: sgd(rate = one_cycle(0.3, total = 2000), momentum = one_cycle_momentum(total = 2000))
// A block has states of one number each, updated after each step with the loss of that step.

// rate · factor^⌊step / period⌋
schedule step_decay(rate, period, factor = 0.1) = rate * factor^floor(step / period)

// rate · factor^step
schedule exponential(rate, factor) = rate * factor^step

// from rate to floor along half a cosine of \`period\` steps, and back again (Loshchilov & Hutter 2017)
schedule cosine(rate, period, floor = 0) = floor + (rate - floor) * (1 + cos(pi * step / period)) / 2

// in a straight line from rate to end within \`total\` steps, then constant
schedule linear(rate, total, end = 0) = rate + (end - rate) * min(1, step / total)

// in a straight line up to rate within \`warmup\` steps, then constant
schedule warmup(rate, warmup) = rate * min(1, (step + 1) / warmup)

// up to rate within \`warmup\` steps, then half a cosine down to rate · ratio at \`total\`, then constant
schedule warmup_cosine(rate, warmup, total, ratio = 0) =
  step < warmup
    ? rate * (step + 1) / warmup
    : rate * (ratio + (1 - ratio) * (1 + cos(pi * min(1, (step - warmup) / max(1, total - warmup)))) / 2)

// From x at u = 0 to y at u = 1, along half a cosine or a straight line
fn anneal(x, y, u, linear = false) = linear ? x + (y - x) * u : y + (x - y) * (1 + cos(pi * u)) / 2

// The one-cycle policy (Smith & Topin 2019) as in PyTorch: from rate/start up to rate until step warm·total - 1, then
// down to rate/start/end at the last step, total - 1. With three_phase = true it comes down as it went up, to rate/start,
// before it goes on to rate/start/end.
schedule one_cycle(rate, total, warm = 0.3, start = 25, end = 1e4, linear = false, three_phase = false) {
  peak  = warm * total - 1
  low   = rate / start
  from  = three_phase ? low : rate
  since = three_phase ? 2 * peak : peak
  value = step < peak ? anneal(low, rate, step / peak, linear)
    : three_phase and step < since ? anneal(rate, low, (step - peak) / peak, linear)
    : anneal(from, low / end, min(1, (step - since) / (total - 1 - since)), linear)
}

// The momentum that goes with it: from high to low while the rate rises, and back
schedule one_cycle_momentum(total, low = 0.85, high = 0.95, warm = 0.3, linear = false, three_phase = false) {
  peak  = warm * total - 1
  back  = three_phase ? 2 * peak : total - 1
  value = step < peak ? anneal(high, low, step / peak, linear)
    : anneal(low, high, min(1, (step - peak) / (back - peak)), linear)
}

// Multiplies the rate by factor when the loss has not been better than its best for more than \`patience\` steps, then
// waits \`cooldown\` steps; as PyTorch's ReduceLROnPlateau. Better is less by \`threshold\` times the best (or by \`threshold\`
// itself, with relative = false), or greater with maximize = true. A reduction by eps or less is not made.
schedule reduce_on_plateau(
  rate, factor = 0.1, patience = 10, threshold = 1e-4, relative = true, cooldown = 0, floor = 0, eps = 1e-8,
  maximize = false
) {
  state current ~ constant(rate), best ~ zeros, bad ~ zeros, cool ~ zeros
  value    = current
  less     = loss < (relative ? best * (1 - threshold) : best - threshold)
  greater  = loss > (relative ? best * (1 + threshold) : best + threshold)
  better   = step == 0 or (maximize ? greater : less)
  count    = better or cool > 0 ? 0 : bad + 1
  reduce   = count > patience
  lower    = max(current * factor, floor)
  best'    = better ? loss : best
  current' = reduce and current - lower > eps ? lower : current
  cool'    = reduce ? cooldown : max(cool - 1, 0)
  bad'     = reduce ? 0 : count
}

// 0 before the step \`start\`, then 1: a factor for the rate of parameters that are unfrozen then (Howard & Ruder 2018)
schedule from_step(start) = step < start ? 0 : 1

// rate · factor^depth: the rate of a layer that is \`depth\` layers below the last (Howard & Ruder 2018, Clark et al. 2020)
fn layerwise(rate, factor, depth) = rate * factor^depth
`,
  },
  {
    path: 'prelude/shapes.dsl',
    text: `// Rearrangements, and layers that carry their input past themselves.

// All axes but the first in one, row by row
layer flatten(x[n, ..]) -> y[n, size] {
  dim size = extent(..)
  y[n, i] = x[n, ..i]
}

// Every place repeated \`factor\` times along each axis: the nearest neighbour
layer upsample2d(x[n, h, w, c], factor = 2) -> y[n, rows, columns, c] {
  dim rows = factor * h, columns = factor * w
  y[n, i: rows, j: columns, k] = x[n, i / factor, j / factor, k]
}

layer upsample1d(x[n, t, c], factor = 2) -> y[n, steps, c] {
  dim steps = factor * t
  y[n, i: steps, k] = x[n, i / factor, k]
}

// More places around a picture, \`pad\` on each side, channels as they are: zeros, the nearest place, those inside mirrored at
// the border (less than there are), or the other end (as many as there are).
layer zero_pad2d(x[n, h, w, c], pad) -> y[n, rows, columns, c] {
  dim rows = h + 2 * pad, columns = w + 2 * pad
  y[n, i: rows, j: columns, k] = x[n, i - pad, j - pad, k] else 0
}

layer edge_pad2d(x[n, h, w, c], pad) -> y[n, rows, columns, c] {
  dim rows = h + 2 * pad, columns = w + 2 * pad
  tall[n, i: rows, j, k] = x[n, i - pad, j, k] else edge
  y[n, i, j: columns, k] = tall[n, i, j - pad, k] else edge
}

layer reflect_pad2d(x[n, h, w, c], pad) -> y[n, rows, columns, c] {
  dim rows = h + 2 * pad, columns = w + 2 * pad
  tall[n, i: rows, j, k] = x[n, i - pad, j, k] else reflect
  y[n, i, j: columns, k] = tall[n, i, j - pad, k] else reflect
}

layer circular_pad2d(x[n, h, w, c], pad) -> y[n, rows, columns, c] {
  dim rows = h + 2 * pad, columns = w + 2 * pad
  tall[n, i: rows, j, k] = x[n, i - pad, j, k] else circular
  y[n, i, j: columns, k] = tall[n, i, j - pad, k] else circular
}

// The same at both ends of a sequence
layer zero_pad1d(x[n, t, c], pad) -> y[n, steps, c] {
  dim steps = t + 2 * pad
  y[n, i: steps, k] = x[n, i - pad, k] else 0
}

layer edge_pad1d(x[n, t, c], pad) -> y[n, steps, c] {
  dim steps = t + 2 * pad
  y[n, i: steps, k] = x[n, i - pad, k] else edge
}

layer reflect_pad1d(x[n, t, c], pad) -> y[n, steps, c] {
  dim steps = t + 2 * pad
  y[n, i: steps, k] = x[n, i - pad, k] else reflect
}

layer circular_pad1d(x[n, t, c], pad) -> y[n, steps, c] {
  dim steps = t + 2 * pad
  y[n, i: steps, k] = x[n, i - pad, k] else circular
}

// One after the other along the last axis
layer concat(a[.., p], b[.., q]) -> y[.., size] {
  dim size = p + q
  y[.., k: size] = (a[.., k] else 0) + (b[.., k - p] else 0)
}

// g h + (1 - g) x with a gate g = σ(x Wg + bg) and h = tanh(x Wh + bh); the gate begins nearly closed (Srivastava et al. 2015)
layer highway(x[.., c], gate = -1) -> y[.., c] {
  param Wg[c, c] ~ glorot_uniform
  param bg[c]    ~ constant(gate)
  param Wh[c, c] ~ glorot_uniform
  param bh[c]    ~ zeros
  g[.., o] = sigmoid(sum[k](x[.., k] * Wg[k, o]) + bg[o])
  y[.., o] = g[.., o] * tanh(sum[k](x[.., k] * Wh[k, o]) + bh[o]) + (1 - g[.., o]) * x[.., o]
}

// x + relu(x W1 + b1) W2 + b2 (He et al. 2016, of dense layers)
layer residual_dense(x[.., c], hidden) -> y[.., c] {
  inner = x |> dense(hidden) |> relu
  y     = x + dense(inner, c)
}
`,
  },
];
