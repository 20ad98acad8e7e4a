/**
 * The slope of a function at 0 by central differences, for comparison with a number that it should be.
 *
 * D(h) = (f(h) - f(-h)) / 2h is off by truncation, c₂h² + c₄h⁴ + ..., and by rounding, about noise / h. Each step is a
 * quarter of the last, and Romberg's scheme takes the h² and h⁴ out of three neighbours (Ridders, "Accurate computation of
 * F'(x) and F'(x)F''(x)", 1982). A smooth function is settled by the first three steps; one with kinks (relu, max) as soon
 * as none of them lies between -h and h, of thousands of units at h of a millionth.
 */

/** The first step, in the units of the direction; of each next one a quarter. */
const FIRST_STEP = 2 ** -4;
const STEPS = 11;

/** Agreement with the number, relative to `scale`: some ten times what the differences of smooth models leave. */
export const SLOPE_TOLERANCE = 1e-6;

/** Neighbours in the scheme that differ by more have not settled: what agrees there agrees by chance. */
const SETTLED = 1e-3;

/** Rounding may make this share of `scale`, and no more, part of what is allowed; deviations of it are taken fourfold. */
const LEAST_RESOLUTION = 1e-5;
const ROUNDINGS = 4;

export type Slope =
  /** `difference` is relative to `scale`, or to the slope where that is larger. */
  | { readonly kind: 'agrees'; readonly difference: number }
  /** Both are 0 as far as can be seen: a slope of this size is lost in the rounding. */
  | { readonly kind: 'vanishes'; readonly resolution: number }
  | { readonly kind: 'differs'; readonly difference: number; readonly value: number }
  | { readonly kind: 'undecided' };

export interface SlopeQuestion {
  readonly valueAt: (t: number) => number;
  /** What the slope should be. */
  readonly expected: number;
  /** What is large for this slope: √Σ (gradient · direction)². */
  readonly scale: number;
  /** The deviation of the rounding of values: see noise.ts. */
  readonly noise: number;
}

interface Estimate {
  readonly value: number;
  /** How far from its neighbour. */
  readonly change: number;
  /** What rounding may make of it. */
  readonly rounding: number;
}

export function compareSlope({ valueAt, expected, scale, noise }: SlopeQuestion): Slope {
  const estimates: Estimate[] = [];
  let above: readonly number[] = [];
  for (let step = 0, h = FIRST_STEP; step < STEPS; step++, h /= 4) {
    const row = [(valueAt(h) - valueAt(-h)) / (2 * h)];
    for (const [order, coarse] of above.slice(0, 2).entries()) {
      const fine = row[order] ?? NaN;
      row.push(fine + (fine - coarse) / (16 ** (order + 1) - 1));
    }
    const rounding = (ROUNDINGS * noise) / h;
    const fresh = row.map((value, order) => ({
      value,
      change: Math.abs(value - (above[Math.min(order, above.length - 1)] ?? NaN)),
      rounding,
    }));
    estimates.push(...fresh);
    above = row;
    const agreeing = fresh.filter((estimate) => agrees(estimate, expected, scale));
    if (agreeing.length > 0) {
      const off = Math.min(...agreeing.map(({ value }) => Math.abs(value - expected)));
      return { kind: 'agrees', difference: off / scale };
    }
  }
  return judge(estimates, expected, scale);
}

function agrees({ value, change, rounding }: Estimate, expected: number, scale: number): boolean {
  return (
    rounding <= LEAST_RESOLUTION * scale &&
    change <= SETTLED * scale &&
    Math.abs(value - expected) <= SLOPE_TOLERANCE * scale + rounding
  );
}

/** Of estimates none of which agrees: the best settled one decides. */
function judge(estimates: readonly Estimate[], expected: number, scale: number): Slope {
  const finite = estimates.filter(({ value, change }) => Number.isFinite(value) && Number.isFinite(change));
  const error = ({ change, rounding }: Estimate): number => Math.max(change, rounding);
  const [best] = finite.toSorted((a, b) => error(a) - error(b));
  if (best === undefined) return { kind: 'undecided' };
  const off = Math.abs(best.value - expected);
  // as far as rounding lets anything be seen, both are zero
  if (off <= 2 * error(best) && error(best) <= 2 * best.rounding && scale * LEAST_RESOLUTION < best.rounding)
    return { kind: 'vanishes', resolution: best.rounding };
  if (off > 10 * error(best)) {
    const difference = off / Math.max(scale, Math.abs(best.value));
    return { kind: 'differs', difference, value: best.value };
  }
  return { kind: 'undecided' };
}

/** Whether the slopes to both sides differ: then there is no derivative to compare with. */
export function isKink(
  valueAt: (t: number) => number,
  { scale, noise }: Pick<SlopeQuestion, 'scale' | 'noise'>,
): boolean {
  const here = valueAt(0);
  const h = FIRST_STEP * 4 ** -8;
  const right = (valueAt(h) - here) / h;
  const left = (here - valueAt(-h)) / h;
  const allowed = 1e-3 * scale + (2 * ROUNDINGS * noise) / h;
  const finer = (valueAt(h / 4) - here) / (h / 4) - (here - valueAt(-h / 4)) / (h / 4);
  // the difference of a curved function falls with the step, that of a kink stays
  return Math.abs(right - left) > allowed && Math.abs(finer) > 0.5 * Math.abs(right - left);
}
