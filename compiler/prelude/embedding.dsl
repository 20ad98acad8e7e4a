// Tables of vectors for integers, and what tells positions apart.

// y[.., d] = E[tokens[..], d], tokens an integer tensor below `count`. A token equal to `padding` gives zeros and has no
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
