/**
 * How much of a function's value is rounding: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33
 * (2011), algorithm ECnoise. Values at equal, tiny steps are differenced; a smooth function's differences vanish, and what
 * stays in those of order k has √((2k)! / (k!)²) times the deviation of the noise.
 */

const POINTS = 7;

/**
 * @param valueAt the function along a line
 * @param spacing of the points; so small that the function is as good as straight over them
 * @returns the deviation of the rounding, at least one unit in the last place of the value
 */
export function roundingOf(valueAt: (t: number) => number, spacing: number): number {
  const values = Array.from({ length: POINTS }, (_, k) => valueAt((k - (POINTS - 1) / 2) * spacing));
  const most = values.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
  let differences = values;
  let variance = 1;
  const levels: number[] = [];
  for (let order = 1; order < POINTS - 1; order++) {
    differences = differences.slice(1).map((value, k) => value - (differences[k] ?? NaN));
    variance *= (2 * (2 * order - 1)) / order;
    const square = differences.reduce((sum, value) => sum + value * value, 0) / differences.length;
    levels.push(Math.sqrt(square / variance));
  }
  // the first two orders still see the slope and the curvature
  const settled = levels.slice(2);
  return Math.max(Math.min(...settled), Number.EPSILON * most);
}
