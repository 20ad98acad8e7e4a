// Recurrences over sequences [.., time, feature]: every step of h, from h = 0 before the first, or from h0 in the ones that
// are called _from. Gates stand side by side in W, U and b in PyTorch's order. The last step is `h |> last_step`; of padded
// sequences, whose padding comes last and so reaches no step before it, `h |> last_valid(lengths)`. `x |> flip |> gru(8) |>
// flip` runs from the end, layers in a row are stacked, and the bidirectional ones are both directions side by side.
//
// The masked ones take a mask[.., time] that is 1 for steps that count and 0 for padding, as masked_attention does: at a step
// that does not count the state stays as it is. With `length_mask(lengths, steps)` the last step is that of the last valid
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

// 1 for the first lengths[..] of `steps` steps, 0 for the padding after them
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
