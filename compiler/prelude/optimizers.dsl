// Optimizers: one step for a parameter p with gradient g (after clipping), elementwise. m' is the next value of the
// state m. t counts the steps from 1, step = t - 1. Hyper-parameters are constants unless a schedule gives them; a state
// that nothing reads, once they are put in, is not kept. Names and defaults are PyTorch's, formulas of the papers named.
// weight_decay adds weight_decay · p to the gradient (coupled L2), in adamw, lion and lamb it acts on p (decoupled).

// Stochastic gradient descent, with momentum as PyTorch counts it: u is g at the first step, dampened only afterwards
// (Polyak 1964; nesterov: Sutskever et al. 2013).
optimizer sgd(rate = 1e-3, momentum = 0, dampening = 0, nesterov = false, weight_decay = 0) {
  state u ~ zeros
  d  = g + weight_decay * p
  u' = momentum == 0 ? d : momentum * u + (t == 1 ? 1 : 1 - dampening) * d
  p' = p - rate * (nesterov ? d + momentum * u' : u')
}

// Heavy ball: sgd with momentum (Polyak 1964)
optimizer momentum(rate = 1e-3, momentum = 0.9, dampening = 0, weight_decay = 0) {
  state u ~ zeros
  d  = g + weight_decay * p
  u' = momentum * u + (t == 1 ? 1 : 1 - dampening) * d
  p' = p - rate * u'
}

// Nesterov's accelerated gradient in the form of Sutskever et al. 2013
optimizer nesterov(rate = 1e-3, momentum = 0.9, weight_decay = 0) {
  state u ~ zeros
  d  = g + weight_decay * p
  u' = momentum * u + d
  p' = p - rate * (d + momentum * u')
}

// Hinton 2012; centered: Graves 2013
optimizer rmsprop(rate = 1e-2, alpha = 0.99, eps = 1e-8, centered = false, momentum = 0, weight_decay = 0) {
  state v ~ zeros, a ~ zeros, u ~ zeros
  d  = g + weight_decay * p
  v' = alpha * v + (1 - alpha) * d^2
  a' = alpha * a + (1 - alpha) * d
  u' = momentum * u + d / (sqrt(centered ? v' - a'^2 : v') + eps)
  p' = p - rate * u'
}

// Duchi, Hazan & Singer 2011
optimizer adagrad(rate = 1e-2, rate_decay = 0, initial = 0, eps = 1e-10, weight_decay = 0) {
  state s ~ constant(initial)
  d  = g + weight_decay * p
  s' = s + d^2
  p' = p - rate / (1 + step * rate_decay) * d / (sqrt(s') + eps)
}

// Zeiler 2012: a is the mean square of the updates
optimizer adadelta(rate = 1, rho = 0.9, eps = 1e-6, weight_decay = 0) {
  state v ~ zeros, a ~ zeros
  d  = g + weight_decay * p
  v' = rho * v + (1 - rho) * d^2
  u  = sqrt(a + eps) / sqrt(v' + eps) * d
  a' = rho * a + (1 - rho) * u^2
  p' = p - rate * u
}

// Kingma & Ba 2015, algorithm 1; amsgrad: Reddi, Kale & Kumar 2018
optimizer adam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, amsgrad = false) {
  state m ~ zeros, v ~ zeros, w ~ zeros
  d  = g + weight_decay * p
  m' = beta1 * m + (1 - beta1) * d
  v' = beta2 * v + (1 - beta2) * d^2
  w' = amsgrad ? max(w, v') : v'
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  p' = p - rate * (m' / c1) / (sqrt(w' / c2) + eps)
}

// Reddi, Kale & Kumar 2018: adam that never forgets its greatest v
optimizer amsgrad(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0) {
  state m ~ zeros, v ~ zeros, w ~ zeros
  d  = g + weight_decay * p
  m' = beta1 * m + (1 - beta1) * d
  v' = beta2 * v + (1 - beta2) * d^2
  w' = max(w, v')
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  p' = p - rate * (m' / c1) / (sqrt(w' / c2) + eps)
}

// Loshchilov & Hutter 2019: the decay acts on p, not through the moments
optimizer adamw(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2, amsgrad = false) {
  state m ~ zeros, v ~ zeros, w ~ zeros
  m' = beta1 * m + (1 - beta1) * g
  v' = beta2 * v + (1 - beta2) * g^2
  w' = amsgrad ? max(w, v') : v'
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  p' = p - rate * weight_decay * p - rate * (m' / c1) / (sqrt(w' / c2) + eps)
}

// Kingma & Ba 2015, section 7.1: adam with the norm of order ∞
optimizer adamax(rate = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0) {
  state m ~ zeros, u ~ zeros
  d  = g + weight_decay * p
  m' = beta1 * m + (1 - beta1) * d
  u' = max(beta2 * u, abs(d) + eps)
  c1 = 1 - beta1^t
  p' = p - rate / c1 * m' / u'
}

// Dozat 2016: adam with Nesterov momentum; P is the product of the momenta so far (PyTorch ≥ 2.0)
optimizer nadam(rate = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, momentum_decay = 4e-3) {
  state m ~ zeros, v ~ zeros, P[] ~ ones
  d    = g + weight_decay * p
  mu   = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))
  next = beta1 * (1 - 0.5 * 0.96^((t + 1) * momentum_decay))
  P'   = P * mu
  m'   = beta1 * m + (1 - beta1) * d
  v'   = beta2 * v + (1 - beta2) * d^2
  c1   = rate * (1 - mu) / (1 - P')
  c2   = rate * next / (1 - P' * next)
  c3   = 1 - beta2^t
  p'   = p - (c1 * d + c2 * m') / (sqrt(v' / c3) + eps)
}

// Liu et al. 2020: adam whose rate is rectified while the variance of v is large, plain momentum before that
optimizer radam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0) {
  state m ~ zeros, v ~ zeros
  d   = g + weight_decay * p
  m'  = beta1 * m + (1 - beta1) * d
  v'  = beta2 * v + (1 - beta2) * d^2
  c1  = 1 - beta1^t
  c2  = 1 - beta2^t
  R   = 2 / (1 - beta2) - 1
  rho = R - 2 * t * beta2^t / c2
  r   = rho > 5 ? sqrt((rho - 4) * (rho - 2) * R / ((R - 4) * (R - 2) * rho)) * sqrt(c2) : 0
  p'  = p - rate * (m' / c1) * (rho > 5 ? r / (sqrt(v') + eps) : 1)
}

// Chen et al. 2023: the sign of an interpolated momentum
optimizer lion(rate = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0) {
  state m ~ zeros
  m' = beta2 * m + (1 - beta2) * g
  p' = p - rate * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)
}

// You et al. 2020: adam with a trust ratio for every parameter tensor
optimizer lamb(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0) {
  state m ~ zeros, v ~ zeros
  m' = beta1 * m + (1 - beta1) * g
  v' = beta2 * v + (1 - beta2) * g^2
  c1 = 1 - beta1^t
  c2 = 1 - beta2^t
  r  = (m' / c1) / (sqrt(v' / c2) + eps) + weight_decay * p
  p_norm = sqrt(sum(p^2))
  r_norm = sqrt(sum(r^2))
  trust  = p_norm > 0 and r_norm > 0 ? p_norm / r_norm : 1
  p' = p - rate * trust * r
}
