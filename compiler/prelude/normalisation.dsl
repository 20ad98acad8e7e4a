// Normalisation: (x - m) / sqrt(v + eps) times a gain, plus a shift; but for batch_norm each row by itself. m is a mean and
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

// Pictures [n, height, width, channel], sequences [n, time, channel]: over all places and each of `groups` runs of channels
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
// inference by the running statistics, which move by `momentum` towards those of each batch, as in PyTorch; the running
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

// batch_norm that always goes by the statistics it was given: for a network that is tuned with `freeze`. All four are
// parameters, of the names that batch_norm has, to be loaded and frozen.
layer frozen_batch_norm(x[.., c], eps = 1e-5) -> y[.., c] {
  param gamma[c] ~ ones
  param beta[c]  ~ zeros
  param running_mean[c]     ~ zeros
  param running_variance[c] ~ ones
  y[.., k] = (x[.., k] - running_mean[k]) / sqrt(running_variance[k] + eps) * gamma[k] + beta[k]
}
