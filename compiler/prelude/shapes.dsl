// Rearrangements, and layers that carry their input past themselves.

// All axes but the first in one, row by row
layer flatten(x[n, ..]) -> y[n, size] {
  dim size = extent(..)
  y[n, i] = x[n, ..i]
}

// Every place repeated `factor` times along each axis: the nearest neighbour
layer upsample2d(x[n, h, w, c], factor = 2) -> y[n, rows, columns, c] {
  dim rows = factor * h, columns = factor * w
  y[n, i: rows, j: columns, k] = x[n, i / factor, j / factor, k]
}

layer upsample1d(x[n, t, c], factor = 2) -> y[n, steps, c] {
  dim steps = factor * t
  y[n, i: steps, k] = x[n, i / factor, k]
}

// More places around a picture, `pad` on each side, channels as they are: zeros, the nearest place, those inside mirrored at
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
