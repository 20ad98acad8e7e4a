// Layers. `..` stands for any number of leading axes.

// y = x W + b, or x W
layer dense(x[.., i], units, bias = true, init = glorot_uniform) -> y[.., units] {
  param W[i, units] ~ init
  param b[units]    ~ zeros
  y[.., o] = sum[i](x[.., i] * W[i, o]) + (bias ? b[o] : 0)
}

// In training each element is 0 with probability `rate`, and the others are divided by 1 - rate, so that the mean stays
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
