/**
 * Between which bounds values are, and whether the bounds themselves are reached: exp(x) is above 0 and never 0, which is all
 * that a logarithm wants to know. Interval arithmetic on the formulas as mathematics: whatever is read counts as
 * independent, so that a range may be too wide, and not too narrow but for what rounding does at its ends.
 */
import type { BinaryOperator, UnaryOperator } from '../graph/types.ts';

export interface Bound {
  readonly value: number;
  /** The values come as near as one likes and do not reach it. */
  readonly open: boolean;
}

export interface Range {
  readonly least: Bound;
  readonly greatest: Bound;
}

export const closed = (value: number): Bound => ({ value, open: false });
export const open = (value: number): Bound => ({ value, open: true });

export const between = (least: number, greatest: number): Range => ({
  least: closed(least),
  greatest: closed(greatest),
});

export const exactly = (value: number): Range => between(value, value);

export const anything: Range = { least: open(-Infinity), greatest: open(Infinity) };
export const truth: Range = between(0, 1);
const positive: Range = { least: open(0), greatest: open(Infinity) };
export const notNegative: Range = { least: closed(0), greatest: open(Infinity) };
const signedUnit: Range = between(-1, 1);

const lower = (one: Bound, other: Bound): Bound =>
  one.value === other.value
    ? { value: one.value, open: one.open && other.open }
    : one.value < other.value
      ? one
      : other;
const higher = (one: Bound, other: Bound): Bound =>
  one.value === other.value
    ? { value: one.value, open: one.open && other.open }
    : one.value > other.value
      ? one
      : other;

/** What is in one or the other. */
export const union = (one: Range, other: Range): Range => ({
  least: lower(one.least, other.least),
  greatest: higher(one.greatest, other.greatest),
});

/** What is in both; `one` where nothing is. */
export function intersection(one: Range, other: Range): Range {
  const least = one.least.value > other.least.value ? one.least : tighter(other.least, one.least);
  const greatest =
    one.greatest.value < other.greatest.value ? one.greatest : tighter(other.greatest, one.greatest);
  return least.value <= greatest.value ? { least, greatest } : one;
}

const tighter = (one: Bound, other: Bound): Bound =>
  one.value === other.value ? { value: one.value, open: one.open || other.open } : one;

export const mayBe = ({ least, greatest }: Range, value: number): boolean =>
  (least.value < value || (least.value === value && !least.open)) &&
  (greatest.value > value || (greatest.value === value && !greatest.open));

export const mayBeBelow = ({ least }: Range, value: number): boolean => least.value < value;
export const mayBeAbove = ({ greatest }: Range, value: number): boolean => greatest.value > value;

type OfOne = (operand: Range) => Range;
type OfTwo = (left: Range, right: Range) => Range;

/** Of a function that never falls; of what it is not defined for, anything. */
const rising =
  (of: (value: number) => number): OfOne =>
  ({ least, greatest }) => {
    const low = of(least.value);
    const high = of(greatest.value);
    if (Number.isNaN(low) || Number.isNaN(high)) return anything;
    return { least: bound(low, least.open), greatest: bound(high, greatest.open) };
  };

/** What is infinite is not reached. */
const bound = (value: number, isOpen: boolean): Bound => ({
  value,
  open: isOpen || Math.abs(value) === Infinity,
});

const always = (range: Range) => (): Range => range;

/** With steps: the ends of an open range may be reached. */
const stepping = (of: (value: number) => number): OfOne => {
  const range = rising(of);
  return (operand) => {
    const { least, greatest } = range(operand);
    return { least: bound(least.value, false), greatest: bound(greatest.value, false) };
  };
};

const negated: OfOne = ({ least, greatest }) => ({
  least: bound(-greatest.value, greatest.open),
  greatest: bound(-least.value, least.open),
});

const magnitude: OfOne = (operand) => {
  if (operand.least.value >= 0) return operand;
  const mirrored = negated(operand);
  if (operand.greatest.value <= 0) return mirrored;
  return { least: closed(0), greatest: higher(operand.greatest, mirrored.greatest) };
};

export const unaryRanges: Readonly<Record<UnaryOperator, OfOne>> = {
  negate: negated,
  abs: magnitude,
  sign: always(signedUnit),
  floor: stepping(Math.floor),
  ceil: stepping(Math.ceil),
  round: stepping(Math.round),
  exp: (operand) => {
    const { least, greatest } = rising(Math.exp)(operand);
    return { least: least.value === 0 ? open(0) : least, greatest };
  },
  expm1: rising(Math.expm1),
  log: rising(Math.log),
  log1p: rising(Math.log1p),
  log2: rising(Math.log2),
  sqrt: (operand) => (operand.least.value < 0 ? notNegative : rising(Math.sqrt)(operand)),
  norm_sqrt: (operand) => (operand.least.value < 0 ? notNegative : rising(Math.sqrt)(operand)),
  sin: always(signedUnit),
  cos: always(signedUnit),
  tan: always(anything),
  asin: always(between(-Math.PI / 2, Math.PI / 2)),
  acos: always(between(0, Math.PI)),
  atan: rising(Math.atan),
  sinh: rising(Math.sinh),
  cosh: always({ least: closed(1), greatest: open(Infinity) }),
  tanh: (operand) => ({
    least: bounded(Math.tanh(operand.least.value), operand.least),
    greatest: bounded(Math.tanh(operand.greatest.value), operand.greatest),
  }),
  asinh: rising(Math.asinh),
  acosh: always(notNegative),
  atanh: always(anything),
  erf: always({ least: open(-1), greatest: open(1) }),
  sigmoid: always({ least: open(0), greatest: open(1) }),
  softplus: always(positive),
  relu: (operand) =>
    operand.least.value < 0 ? { least: closed(0), greatest: higher(operand.greatest, closed(0)) } : operand,
  not: always(truth),
  stop_gradient: (operand) => operand,
};

/** Of tanh: 1 is never reached, though float64 rounds to it. */
const bounded = (value: number, from: Bound): Bound => ({
  value,
  open: from.open || Math.abs(value) === 1,
});

const added: OfTwo = (left, right) => ({
  least: bound(orElse(left.least.value + right.least.value, -Infinity), left.least.open || right.least.open),
  greatest: bound(
    orElse(left.greatest.value + right.greatest.value, Infinity),
    left.greatest.open || right.greatest.open,
  ),
});

const orElse = (value: number, other: number): number => (Number.isNaN(value) ? other : value);

/** One end times another: a zero that is reached is reached, whatever the other is. */
function timesEnd(one: Bound, other: Bound): Bound {
  const isZero = (end: Bound): boolean => end.value === 0;
  if (isZero(one) || isZero(other)) {
    const isReached = (isZero(one) && !one.open) || (isZero(other) && !other.open);
    return { value: 0, open: !isReached };
  }
  return bound(one.value * other.value, one.open || other.open);
}

export const multiplied: OfTwo = (left, right) => {
  const ends = [left.least, left.greatest].flatMap((one) =>
    [right.least, right.greatest].map((other) => timesEnd(one, other)),
  );
  return { least: ends.reduce(lower), greatest: ends.reduce(higher) };
};

/** 1 / x of what has one sign. */
const inverted: OfOne = ({ least, greatest }) => {
  const end = (of: Bound, atZero: number): Bound =>
    of.value === 0
      ? open(atZero)
      : Math.abs(of.value) === Infinity
        ? open(0)
        : { ...of, value: 1 / of.value };
  const isPositive = least.value >= 0;
  return {
    least: end(greatest, isPositive ? Infinity : -Infinity),
    greatest: end(least, isPositive ? Infinity : -Infinity),
  };
};

const hasOneSign = (range: Range): boolean =>
  !mayBe(range, 0) && (range.least.value >= 0 || range.greatest.value <= 0);

const isExactly = ({ least, greatest }: Range): number | undefined =>
  least.value === greatest.value ? least.value : undefined;

/** u · u, u^2: never negative, and 0 only where u is. */
export const evenPower = (base: Range, exponent: number): Range => {
  const { least, greatest } = magnitude(base);
  const raise = (end: Bound): Bound => bound(end.value ** exponent, end.open);
  return { least: raise(least), greatest: raise(greatest) };
};

const raised: OfTwo = (base, exponent) => {
  const power = isExactly(exponent);
  if (power !== undefined && power > 0 && power % 2 === 0) return evenPower(base, power);
  if (power !== undefined && power < 0 && power % 2 === 0 && !mayBe(base, 0))
    return inverted(evenPower(base, -power));
  if (base.least.value < 0) {
    return power !== undefined && power > 0 && Number.isInteger(power)
      ? rising((value) => value ** power)(base)
      : anything;
  }
  if (power !== undefined && power > 0) return rising((value) => value ** power)(base);
  if (mayBe(base, 0)) return notNegative;
  const isFraction = base.greatest.value <= 1 && exponent.least.value >= 0;
  return isFraction ? { least: open(0), greatest: closed(1) } : positive;
};

export const binaryRanges: Readonly<Record<BinaryOperator, OfTwo>> = {
  add: added,
  subtract: (left, right) => added(left, negated(right)),
  multiply: multiplied,
  divide: (left, right) => (hasOneSign(right) ? multiplied(left, inverted(right)) : anything),
  power: raised,
  max: (left, right) => ({
    least: higherEnd(left.least, right.least),
    greatest: higher(left.greatest, right.greatest),
  }),
  min: (left, right) => ({
    least: lower(left.least, right.least),
    greatest: lowerEnd(left.greatest, right.greatest),
  }),
  atan2: always(between(-Math.PI, Math.PI)),
  // the language's remainder has the sign of the divisor
  modulo: (_, right) =>
    right.least.value > 0 ? { least: closed(0), greatest: open(right.greatest.value) } : anything,
  less: always(truth),
  less_equal: always(truth),
  greater: always(truth),
  greater_equal: always(truth),
  equal: always(truth),
  not_equal: always(truth),
  and: always(truth),
  or: always(truth),
};

/** Of two least ends that of the maximum: the higher, which is open if it is not reached by either. */
const higherEnd = (one: Bound, other: Bound): Bound =>
  one.value === other.value ? tighter(one, other) : one.value > other.value ? one : other;
const lowerEnd = (one: Bound, other: Bound): Bound =>
  one.value === other.value ? tighter(one, other) : one.value < other.value ? one : other;
