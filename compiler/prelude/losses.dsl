// Losses. Elementwise, or over one index (the classes, the features), so that the model says how they are averaged:
//   loss = mean[n](cross_entropy[k](z[n, k], label[n]))
// Names: p a prediction or a probability, y a target, z logits (unbounded scores), l log-probabilities or log-rates,
// label a class 0, 1, ...; k == label is 1 for the class of the label and 0 for the others.

// ----------------------------------------------------------------------------------------------------------- regression

// (p - y)²
fn squared_error(p, y) = (p - y)^2

// |p - y|; the derivative at p = y is 0
fn absolute_error(p, y) = abs(p - y)

// u²/2 for |u| ≤ δ, else δ (|u| - δ/2), u = p - y (Huber 1964)
fn huber(p, y, delta = 1) {
  u = p - y
  return abs(u) <= delta ? u^2 / 2 : delta * (abs(u) - delta / 2)
}

// u²/(2β) for |u| < β, else |u| - β/2, u = p - y (Girshick 2015): huber / δ
fn smooth_l1(p, y, beta = 1) {
  u = p - y
  return abs(u) < beta ? u^2 / (2 * beta) : abs(u) - beta / 2
}

// log cosh(p - y), as log(1 + e²ᵘ) - u - log 2, which does not overflow
fn log_cosh(p, y) {
  u = p - y
  return softplus(2 * u) - u - log(2)
}

// -log of the normal density with mean m and variance v > 0, without the constant log(2π)/2 (Nix & Weigend 1994)
fn gaussian_nll(m, y, v) = (log(v) + (m - y)^2 / v) / 2

// -log of the Poisson probability of y at rate eˡ, without the constant log(y!)
fn poisson_nll(l, y) = exp(l) - y * l

// ---------------------------------------------------------------------------------------------------------- two classes

// -(y log p + (1 - y) log(1 - p)), p in (0, 1); of p = sigmoid(z) the compiler makes the form without logarithms of 0
fn binary_cross_entropy(p, y) = -(y * log(p) + (1 - y) * log(1 - p))

// The same where p may be exactly 0 or 1: as in PyTorch no logarithm is below -100, and the derivative is
// (p - y) / max(p (1 - p), 1e-12). (p - stop_gradient(p) is 0 and has derivative 1.)
fn binary_cross_entropy_clamped(p, y) {
  value = -(y * max(log(p), -100) + (1 - y) * max(log(1 - p), -100))
  slope = (p - y) / 1e-12
  return p * (1 - p) >= 1e-12
    ? binary_cross_entropy(p, y)
    : stop_gradient(value) + (p - stop_gradient(p)) * stop_gradient(slope)
}

// binary_cross_entropy(sigmoid(z), y) = log(1 + eᶻ) - z y
fn bce_logits(z, y) = softplus(z) - z * y

// -(q y log σ(z) + (1 - y) log(1 - σ(z))), q the weight of the positive class
fn bce_logits_weighted(z, y, pos_weight) = pos_weight * y * softplus(-z) + (1 - y) * softplus(z)

// -(1 - pₜ)^γ log pₜ, pₜ = σ(z) if y = 1 else 1 - σ(z), which is σ(u) with u = (2y - 1) z (Lin et al. 2017)
fn focal(z, y, gamma = 2) {
  u = (2 * y - 1) * z
  return sigmoid(-u)^gamma * softplus(-u)
}

// max(0, margin - y z), y = -1 or 1
fn hinge(z, y, margin = 1) = max(0, margin - y * z)
fn squared_hinge(z, y, margin = 1) = max(0, margin - y * z)^2

// --------------------------------------------------------------------------------------------------------- many classes

// -log softmax(z) at the label. With smoothing s the target is (1 - s) [k = label] + s/K (Szegedy et al. 2016).
fn cross_entropy[k](z, label, smoothing = 0) =
  smoothing == 0
    ? logsumexp[k](z) - sum[k]((k == label) * z)
    : logsumexp[k](z) - (1 - smoothing) * sum[k]((k == label) * z) - smoothing * mean[k](z)

// -Σₖ wₖ qₖ log softmax(z)ₖ, w[k] a weight per class, q as above. PyTorch's mean divides by the weights of the labels:
//   loss = sum[n](cross_entropy_weighted[k](z[n, k], label[n], w[k])) / sum[n](w[label[n]])
fn cross_entropy_weighted[k](z, label, w, smoothing = 0) {
  l = w * (logsumexp[k](z) - z)
  return smoothing == 0
    ? sum[k]((k == label) * l)
    : (1 - smoothing) * sum[k]((k == label) * l) + smoothing * mean[k](l)
}

// cross_entropy of the rows whose label is not `ignored`, 0 for the others; mean over the rows that count:
//   loss = sum[n](cross_entropy_ignoring[k](z[n, k], label[n], -100)) / sum[n](label[n] != -100)
fn cross_entropy_ignoring[k](z, label, ignored = -100) =
  label == ignored ? 0 : logsumexp[k](z) - sum[k]((k == label) * z)

// -Σₖ yₖ log softmax(z)ₖ: y[k] a distribution (or one-hot), differentiable too
fn cross_entropy_soft[k](z, y) = sum[k](y * (logsumexp[k](z) - z))

// -Σₖ yₖ log pₖ of probabilities, y[k] a distribution; nothing is clamped
fn cross_entropy_probabilities[k](p, y) = -sum[k](y * log(p))

// -l at the label, l = log-probabilities; with a weight per class w[k]
fn nll[k](l, label, w = 1) = -sum[k]((k == label) * w * l)

// One term of KL(q ‖ p) = Σ q (log q - log p), from l = log p; 0 where q = 0
fn kl_divergence(l, q) = q > 0 ? q * (log(q) - l) : 0

// KL between softmax(u / T) and softmax(z / T), times T² (Hinton et al. 2015): u the teacher, z the student
fn distillation[k](u, z, temperature = 1) {
  a = log_softmax[k](u / temperature)
  b = log_softmax[k](z / temperature)
  return temperature^2 * sum[k](exp(a) * (a - b))
}

// (1/K) Σ over k ≠ label of max(0, margin - z at the label + zₖ) (Crammer & Singer 2001)
fn multi_margin[k](z, label, margin = 1) {
  own = sum[k]((k == label) * z)
  return mean[k](k == label ? 0 : max(0, margin - own + z))
}

// ---------------------------------------------------------------------------------------------------------- distances

// a·b / (‖a‖ ‖b‖), no norm below eps
fn cosine_similarity[k](a, b, eps = 1e-8) =
  sum[k](a * b) / (max(sqrt(sum[k](a^2)), eps) * max(sqrt(sum[k](b^2)), eps))

// 1 - c for y = 1, max(0, c - margin) for y = -1, c the cosine similarity
fn cosine_embedding[k](a, b, y, margin = 0) {
  c = cosine_similarity[k](a, b)
  return y == 1 ? 1 - c : max(0, c - margin)
}

// max(0, ‖a - p + eps‖ - ‖a - q + eps‖ + margin), p like the anchor a, q unlike it (Schroff et al. 2015)
fn triplet_margin[k](a, p, q, margin = 1, eps = 1e-6) =
  max(0, sqrt(sum[k]((a - p + eps)^2)) - sqrt(sum[k]((a - q + eps)^2)) + margin)

// ------------------------------------------------------------------------------------------------------------ penalties

// λ/2 Σ W²
fn l2(W, lambda) = lambda / 2 * sum(W^2)

// λ/2 Σ (W - W₀)²: L2-SP, the pull towards the weights W₀ that a fine-tuning started from (Li et al. 2018)
fn l2_sp(W, start, lambda) = lambda / 2 * sum((W - start)^2)

// λ Σ |W|; the derivative at 0 is 0
fn l1(W, lambda) = lambda * sum(abs(W))

// λ (α Σ|W| + (1 - α)/2 Σ W²) (Zou & Hastie 2005)
fn elastic(W, lambda, alpha = 0.5) = lambda * (alpha * sum(abs(W)) + (1 - alpha) / 2 * sum(W^2))

// -------------------------------------------------------------------------------------------------------------- metrics

// 1 if the greatest score is the label's
fn accuracy[k](z, label) = argmax[k](z) == label

// 1 if fewer than `top` scores are greater than the label's
fn top_accuracy[k](z, label, top = 5) {
  own = sum[k]((k == label) * z)
  return sum[k](z > own) < top
}

// 1 if the probability is on the side of the target
fn binary_accuracy(p, y, threshold = 0.5) = (p > threshold) == (y > 0.5)
