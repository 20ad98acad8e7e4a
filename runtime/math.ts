/**
 * @file Elementary functions that JavaScript's `Math` lacks. Shared by emitted code, the runtime and the compiler's
 * reference interpreter, so that all of them agree to the bit. No function allocates; NaN in gives NaN out.
 */

/** 1 / √π */
const INVERSE_SQRT_PI = 0.5641895835477563;

/**
 * The error function erf(x) = 2/√π ∫₀ˣ exp(-t²) dt, to about 1e-16 absolute.
 *
 * Rational Chebyshev approximations on three ranges of |x| from W. J. Cody, "Rational Chebyshev approximations for the
 * error function", Math. Comp. 23 (1969), 631-637: erf on [0, 0.46875], erfc on [0.46875, 4] and on [4, ∞).
 */
export function erf(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) {
    const z = x * x;
    const over =
      (((0.185777706184603153 * z + 3.1611237438705656) * z + 113.864154151050156) * z +
        377.485237685302021) *
        z +
      3209.37758913846947;
    const under =
      (((z + 23.6012909523441209) * z + 244.024637934444173) * z + 1282.61652607737228) * z +
      2844.23683343917062;
    return (x * over) / under;
  }
  if (y >= 6) return x > 0 ? 1 : -1; // erfc(6) = 2e-17 is below half a unit in the last place of 1
  const rest = y <= 4 ? complementMiddle(y) : complementTail(y);
  const value = 0.5 - rest + 0.5;
  return x < 0 ? -value : value; // NaN falls through every test and stays NaN
}

/** erfc(y) for 0.46875 <= y <= 4 */
function complementMiddle(y: number): number {
  const over =
    (((((((2.15311535474403846e-8 * y + 0.564188496988670089) * y + 8.88314979438837594) * y +
      66.1191906371416295) *
      y +
      298.635138197400131) *
      y +
      881.95222124176909) *
      y +
      1712.04761263407058) *
      y +
      2051.07837782607147) *
      y +
    1230.33935479799725;
  const under =
    (((((((y + 15.7449261107098347) * y + 117.693950891312499) * y + 537.181101862009858) * y +
      1621.38957456669019) *
      y +
      3290.79923573345963) *
      y +
      4362.61909014324716) *
      y +
      3439.36767414372164) *
      y +
    1230.33935480374942;
  return (Math.exp(-y * y) * over) / under;
}

/** erfc(y) for y >= 4 */
function complementTail(y: number): number {
  const z = 1 / (y * y);
  const over =
    ((((0.0163153871373020978 * z + 0.305326634961232344) * z + 0.360344899949804439) * z +
      0.125781726111229246) *
      z +
      0.0160837851487422766) *
      z +
    0.000658749161529837803;
  const under =
    ((((z + 2.56852019228982242) * z + 1.87295284992346725) * z + 0.527905102951428412) * z +
      0.0605183413124413191) *
      z +
    0.00233520497626869185;
  return (Math.exp(-y * y) / y) * (INVERSE_SQRT_PI - (z * over) / under);
}

/** The logistic function 1 / (1 + exp(-x)). Exact to rounding for all x: exp overflows to Infinity only where σ is 0. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|)). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The nearest integer, ties to the even one (IEEE 754 roundTiesToEven), as NumPy's and PyTorch's `round`. */
export function roundHalfEven(x: number): number {
  const nearest = Math.round(x); // ties go up
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** x - y·floor(x / y): the remainder with the sign of the divisor, as Python's `%`. NaN if y is 0. */
export function modulo(x: number, y: number): number {
  const remainder = x % y;
  return remainder !== 0 && remainder < 0 !== y < 0 ? remainder + y : remainder;
}
