/** What a chart's axis shows: by powers of ten or not, from where to where, and with which ticks. */
import { quantileSorted, tickStep, ticks } from 'd3-array';
import { numberText } from './html.ts';

export interface Axis {
  readonly logarithmic: boolean;
  /** Of values as they are drawn: logarithms, where the axis is by powers of ten. */
  readonly extent: readonly [number, number];
  /** Values are beyond the axis, which they would have made so long that nothing else could be seen. */
  readonly clips: { readonly below: boolean; readonly above: boolean };
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Positive values that differ by this factor are drawn by powers of ten. */
const MANY_DECADES = 1e4;
/** Of outliers: quartiles from the nearest one. */
const FAR = 3;
/** An outlier is cut off where the axis would be so many times as long with it. */
const FLATTENED = 8;
/** With fewer values there are no outliers. */
const FEWEST = 5;

/** How a value is drawn: NaN where it cannot be. */
export function drawn(value: number, logarithmic: boolean): number {
  if (!logarithmic) return value;
  return value > 0 ? Math.log10(value) : NaN;
}

/** @param logarithmic undefined where the values decide */
export function axisOf(values: readonly number[], logarithmic?: boolean): Axis {
  const finite = values.filter(Number.isFinite);
  const [least, greatest] = rangeOf(finite);
  const isLog = logarithmic ?? (least > 0 && greatest / least >= MANY_DECADES);
  const heights = finite.map((value) => drawn(value, isLog)).filter(Number.isFinite);
  if (heights.length === 0)
    return { logarithmic: isLog, extent: [0, 1], clips: { below: false, above: false }, ticks: [] };
  const whole = rangeOf(heights);
  const seen = withoutOutliers(heights, whole);
  const extent = apart(seen);
  return {
    logarithmic: isLog,
    extent,
    clips: { below: seen[0] > whole[0], above: seen[1] < whole[1] },
    ticks: isLog ? logarithmicTicks(extent) : linearTicks(extent),
  };
}

function rangeOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

/** The range without values far beyond the quartiles (Tukey 1977), where with them the rest would be a flat line. */
function withoutOutliers(values: readonly number[], whole: readonly [number, number]): [number, number] {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [quantileSorted(sorted, 0.25) ?? NaN, quantileSorted(sorted, 0.75) ?? NaN];
  const reach = FAR * (high - low);
  const inner = rangeOf(values.filter((value) => value >= low - reach && value <= high + reach));
  const isFlat = whole[1] - whole[0] > FLATTENED * (inner[1] - inner[0]);
  return values.length >= FEWEST && inner[1] > inner[0] && isFlat ? inner : [...whole];
}

/** Least and greatest, apart where they are the same. */
export function apart([low, high]: readonly [number, number]): [number, number] {
  const margin = low === high ? Math.max(Math.abs(low) * 0.1, 1e-9) : 0;
  return [low - margin, high + margin];
}

/** As many digits as tell one tick from the next. */
function linearTicks([low, high]: readonly [number, number]): Axis['ticks'] {
  const step = tickStep(low, high, 5);
  const most = Math.max(Math.abs(low), Math.abs(high));
  const digits = Math.min(15, Math.max(2, Math.ceil(Math.log10(most / step)) + 1));
  // sums of steps are not exact: 1e-17 is a 0
  return ticks(low, high, 5).map((at) => ({
    at,
    text: numberText(Math.abs(at) < step / 2 ? 0 : at, digits),
  }));
}

/** 1, 2 and 5 times powers of ten or, where the range is wide, powers alone; equal steps where it is less than one. */
function logarithmicTicks([low, high]: readonly [number, number]): Axis['ticks'] {
  const powers = Array.from(
    { length: Math.floor(high) - Math.floor(low) + 1 },
    (_, k) => Math.floor(low) + k,
  );
  const places =
    high - low > 2.5
      ? ticks(low, high, 6).filter(Number.isInteger)
      : powers
          .flatMap((power) => [1, 2, 5].map((digit) => power + Math.log10(digit)))
          .filter((at) => at >= low && at <= high);
  const textOf = (at: number): string =>
    Number.isInteger(at) && at > 3 ? `1e${at}` : numberText(10 ** at, 2);
  if (places.length >= 2) return places.map((at) => ({ at, text: textOf(at) }));
  return linearTicks([10 ** low, 10 ** high]).flatMap(({ text }) =>
    Number(text) > 0 ? [{ at: Math.log10(Number(text)), text }] : [],
  );
}
