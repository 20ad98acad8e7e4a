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
      (((0.18577770618460315 * z + 3.1611237438705655) * z + 113.86415415105016) * z + 377.485237685302) * z +
      3209.3775891384694;
    const under =
      (((z + 23.601290952344122) * z + 244.02463793444417) * z + 1282.6165260773723) * z + 2844.236833439171;
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
    (((((((2.1531153547440383e-8 * y + 0.5641884969886701) * y + 8.883149794388377) * y + 66.11919063714163) *
      y +
      298.6351381974001) *
      y +
      881.952221241769) *
      y +
      1712.0476126340707) *
      y +
      2051.0783778260716) *
      y +
    1230.3393547979972;
  const under =
    (((((((y + 15.744926110709835) * y + 117.6939508913125) * y + 537.1811018620099) * y +
      1621.3895745666903) *
      y +
      3290.7992357334597) *
      y +
      4362.619090143247) *
      y +
      3439.3676741437216) *
      y +
    1230.3393548037495;
  return (Math.exp(-y * y) * over) / under;
}

/** erfc(y) for y >= 4 */
function complementTail(y: number): number {
  const z = 1 / (y * y);
  const over =
    ((((0.016315387137302097 * z + 0.30532663496123236) * z + 0.36034489994980445) * z +
      0.12578172611122926) *
      z +
      0.016083785148742275) *
      z +
    0.0006587491615298378;
  const under =
    ((((z + 2.568520192289822) * z + 1.8729528499234673) * z + 0.5279051029514285) * z +
      0.06051834131244132) *
      z +
    0.0023352049762686918;
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
