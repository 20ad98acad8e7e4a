// Activations and small helpers. Elementwise unless they bind an index.
// Operators of the language, not defined here: exp expm1 log log1p log2 sqrt abs sign floor ceil round sin cos tan asin
// acos atan sinh cosh tanh asinh acosh atanh erf sigmoid softplus relu stop_gradient max min pow atan2 mod.

// ------------------------------------------------------------------------------------------------------------- helpers

fn identity(x) = x
fn square(x) = x^2
fn reciprocal(x) = 1 / x
fn rsqrt(x) = 1 / sqrt(x)

// condition ≠ 0 ? a : b, value and gradient of the chosen branch only
fn where(condition, a, b) = condition ? a : b

// x held inside [low, high]; the derivative is 1 inside and at the bounds, 0 outside (PyTorch's clamp)
fn clip(x, low, high) = x < low ? low : x > high ? high : x

// ------------------------------------------------------------------------------------- the gradient is not the value's

// round(x), with the derivative of x: the straight-through estimator (Bengio, Léonard & Courville 2013)
fn straight_through_round(x) = round(x)
derivative straight_through_round(x) = 1

// 1 for x > 0, else -1, with derivative 1 where |x| ≤ 1, else 0 (Hubara et al. 2016, binarised neural networks)
fn straight_through_sign(x) = x > 0 ? 1 : -1
derivative straight_through_sign(x) = abs(x) <= 1 ? 1 : 0

// x, and its gradient times -λ on the way back: what trains a part against the rest (Ganin & Lempitsky 2015)
fn gradient_reversal(x, lambda = 1) = x
derivative gradient_reversal(x, lambda) = -lambda, 0

// ----------------------------------------------------------------------------------------------------- piecewise linear

// max(0, x) with a slope on the left; the derivative at 0 is `slope` (Maas et al. 2013)
fn leaky_relu(x, slope = 0.01) = x > 0 ? x : slope * x

// min(max(0, x), 6); the derivative at 0 and at 6 is 0 (Krizhevsky 2010)
fn relu6(x) = min(max(x, 0), 6)

// min(max(0, x + 3), 6) / 6; the derivative at -3 and at 3 is 0 (PyTorch's variant, Howard et al. 2019)
fn hard_sigmoid(x) = min(max(x + 3, 0), 6) / 6

// x · hard_sigmoid(x) (Howard et al. 2019, MobileNetV3)
fn hard_swish(x) = x * hard_sigmoid(x)

// ---------------------------------------------------------------------------------------------------------- exponential

// x for x > 0, else α (eˣ - 1); the derivative at 0 is α (Clevert et al. 2016)
fn elu(x, alpha = 1) = x > 0 ? x : alpha * expm1(x)

// elu with the scale that keeps mean 0 and variance 1 from layer to layer (Klambauer et al. 2017)
fn selu(x) = 1.0507009873554805 * elu(x, 1.6732632423543772)

// x for x > 0, else α (e^(x/α) - 1), once differentiable for every α (Barron 2017)
fn celu(x, alpha = 1) = x > 0 ? x : alpha * expm1(x / alpha)

// log(1 + e^(βx)) / β; without β it is the operator softplus(x)
fn softplus_beta(x, beta = 1) = softplus(beta * x) / beta

// log σ(x) = -log(1 + e⁻ˣ)
fn log_sigmoid(x) = -softplus(-x)

// x / (1 + |x|)
fn softsign(x) = x / (1 + abs(x))

// ---------------------------------------------------------------------------------------------------------------- gated

// x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016)
fn gelu(x) = 0.5 * x * (1 + erf(x / sqrt(2)))

// the tanh approximation of gelu (same paper; used by GPT-2)
fn gelu_tanh(x) = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))

// x σ(x) (Elfwing et al. 2017)
fn silu(x) = x * sigmoid(x)

// x σ(βx) (Ramachandran et al. 2017)
fn swish(x, beta = 1) = x * sigmoid(beta * x)

// x tanh(log(1 + eˣ)) (Misra 2019)
fn mish(x) = x * tanh(softplus(x))

// ----------------------------------------------------------------------------------------------------------- over an index

// eᶻ / Σₖ eᶻ, written with logsumexp so that no exponential overflows
fn softmax[k](z) = exp(z - logsumexp[k](z))

// z - log Σₖ eᶻ
fn log_softmax[k](z) = z - logsumexp[k](z)

// --------------------------------------------------------------------------------------------------------------- layers

// Gated linear unit (Dauphin et al. 2017): the first half of the last axis, gated by the second half.
// (`else 0` is never needed: it says that f does not run over the whole axis.)
layer glu(x[.., c]) -> y[.., c / 2] {
  y[.., f: c / 2] = (x[.., f] else 0) * sigmoid(x[.., c / 2 + f])
}

// leaky_relu with a learned slope per channel, the last axis (He et al. 2015)
layer prelu(x[.., c], slope = 0.25) -> y[.., c] {
  param a[c] ~ constant(slope)
  y[.., j] = leaky_relu(x[.., j], a[j])
}
