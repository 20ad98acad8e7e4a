// Pooling over pictures [n, height, width, channel] and sequences [n, time, channel], each channel by itself. Windows are
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
