// Convolutions over pictures [n, height, width, channel] and sequences [n, time, channel]: channels last. As everywhere in
// deep learning these are cross-correlations, the window is not turned around. Windows are square, and one number says
// what holds for both axes. A window of `size` with `dilation` reaches over dilation (size - 1) + 1 places; places outside
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

// The same over time: y[n, i, f] = b[f] + Σ x[n, stride i + dilation u - pad, d] K[u, d, f]. With `causal`, pad is
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

// Every channel by itself, `multiplier` filters for each (Chollet 2017): conv2d with as many groups as channels.
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
// y[n, stride i + dilation u - pad, stride j + dilation v - pad, f]. `more` rows and columns are added at the end, of
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
