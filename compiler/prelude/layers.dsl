// Layers. `..` stands for any number of leading axes.

// y = x W + b
layer dense(x[.., i], units) -> y[.., units] {
  param W[i, units] ~ glorot_uniform
  param b[units]    ~ zeros
  y[.., o] = sum[i](x[.., i] * W[i, o]) + b[o]
}
