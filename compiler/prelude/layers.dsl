// Layers. `..` stands for any number of leading axes.

// y = x W + b, or x W
layer dense(x[.., i], units, bias = true) -> y[.., units] {
  param W[i, units] ~ glorot_uniform
  param b[units]    ~ zeros
  y[.., o] = sum[i](x[.., i] * W[i, o]) + (bias ? b[o] : 0)
}
