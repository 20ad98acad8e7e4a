// Rearrangements, and layers that carry their input past themselves.

// All axes but the first in one, row by row: pictures, sequences
layer flatten(x[n, h, w, c]) -> y[n, size] {
  dim size = h * w * c
  y[n, i: size] = x[n, i / (w * c), mod(i / c, w), mod(i, c)]
}

layer flatten1d(x[n, t, c]) -> y[n, size] {
  dim size = t * c
  y[n, i: size] = x[n, i / c, mod(i, c)]
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

// Zeros around a picture, `pad` on each side
layer zero_pad2d(x[n, h, w, c], pad) -> y[n, rows, columns, c] {
  dim rows = h + 2 * pad, columns = w + 2 * pad
  y[n, i: rows, j: columns, k] = x[n, i - pad, j - pad, k] else 0
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
