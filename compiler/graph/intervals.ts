/**
 * Between which bounds the values of a tensor are, by interval arithmetic on the formulas: whatever is read counts as
 * independent, so that the bounds may be too wide and never too narrow (but for rounding, and for NaN).
 */
import { isPlainIndex } from './index-expressions.ts';
import { valueOfCall } from './own-functions.ts';
import type {
  BinaryOperator,
  Expression,
  Extent,
  Program,
  Read,
  Statement,
  Tensor,
  UnaryOperator,
} from './types.ts';

export interface Interval {
  readonly least: number;
  readonly greatest: number;
}

const ANY: Interval = { least: -Infinity, greatest: Infinity };
const POSITIVE: Interval = { least: 0, greatest: Infinity };
const UNIT: Interval = { least: 0, greatest: 1 };
const SIGNED_UNIT: Interval = { least: -1, greatest: 1 };

/** The names of the tensors whose values are between 0 and 1: a sigmoid, a comparison, what is clipped. */
export function probabilities(program: Program): Set<string> {
  const intervals = [...intervalsOf(program)];
  return new Set(intervals.filter(([, interval]) => within(interval, UNIT)).map(([name]) => name));
}

/** Of every tensor of a program. */
export function intervalsOf(program: Program): Map<string, Interval> {
  const intervals = new Map<string, Interval>();
  for (const tensor of program.tensors.values())
    if (tensor.role !== 'intermediate') intervals.set(tensor.name, intervalOfGiven(tensor));
  // what a recurrence reads of steps to come in this list is not known yet, so it may be anything
  for (const statement of program.statements)
    intervals.set(statement.target, intervalOfStatement(statement, intervals));
  return intervals;
}

function intervalOfGiven({ role, range, distribution }: Tensor): Interval {
  if (role === 'input' && range !== undefined) return range;
  if (distribution?.kind === 'bernoulli') return UNIT;
  if (distribution?.kind === 'uniform') return hull(distribution.low, distribution.high);
  return ANY;
}

/** The least interval with all of these values; any where one of them is undefined (0 · ∞). */
function hull(...values: readonly number[]): Interval {
  if (values.some(Number.isNaN)) return ANY;
  return { least: Math.min(...values), greatest: Math.max(...values) };
}

const union = (one: Interval, other: Interval): Interval =>
  hull(one.least, one.greatest, other.least, other.greatest);

/** Of a function that never falls. */
const rising =
  (of: (value: number) => number) =>
  ({ least, greatest }: Interval): Interval =>
    hull(of(least), of(greatest));

const always = (interval: Interval) => (): Interval => interval;

export const unaryIntervals: Readonly<Record<UnaryOperator, (operand: Interval) => Interval>> = {
  negate: ({ least, greatest }) => hull(-least, -greatest),
  abs: (operand) =>
    operand.least >= 0 ? operand : hull(0, Math.max(-operand.least, Math.abs(operand.greatest))),
  sign: always(SIGNED_UNIT),
  floor: rising(Math.floor),
  ceil: rising(Math.ceil),
  round: rising(Math.round),
  exp: rising(Math.exp),
  expm1: rising(Math.expm1),
  log: ({ least, greatest }) => (least >= 0 ? hull(Math.log(least), Math.log(greatest)) : ANY),
  log1p: ({ least, greatest }) => (least >= -1 ? hull(Math.log1p(least), Math.log1p(greatest)) : ANY),
  log2: ({ least, greatest }) => (least >= 0 ? hull(Math.log2(least), Math.log2(greatest)) : ANY),
  sqrt: ({ least, greatest }) => (least >= 0 ? hull(Math.sqrt(least), Math.sqrt(greatest)) : POSITIVE),
  sin: always(SIGNED_UNIT),
  cos: always(SIGNED_UNIT),
  tan: always(ANY),
  asin: always(hull(-Math.PI / 2, Math.PI / 2)),
  acos: always(hull(0, Math.PI)),
  atan: rising(Math.atan),
  sinh: rising(Math.sinh),
  cosh: always({ least: 1, greatest: Infinity }),
  tanh: rising(Math.tanh),
  asinh: rising(Math.asinh),
  acosh: always(POSITIVE),
  atanh: always(ANY),
  erf: always(SIGNED_UNIT),
  sigmoid: always(UNIT),
  softplus: always(POSITIVE),
  relu: rising((value) => Math.max(0, value)),
  norm_sqrt: always(POSITIVE),
  not: always(UNIT),
  stop_gradient: (operand) => operand,
};

type OfTwo = (left: Interval, right: Interval) => Interval;

const multiplied: OfTwo = (left, right) =>
  hull(
    left.least * right.least,
    left.least * right.greatest,
    left.greatest * right.least,
    left.greatest * right.greatest,
  );

const within = ({ least, greatest }: Interval, other: Interval): boolean =>
  least >= other.least && greatest <= other.greatest;

export const binaryIntervals: Readonly<Record<BinaryOperator, OfTwo>> = {
  add: (left, right) => hull(left.least + right.least, left.greatest + right.greatest),
  subtract: (left, right) => hull(left.least - right.greatest, left.greatest - right.least),
  multiply: multiplied,
  divide: (left, right) =>
    right.least > 0 || right.greatest < 0 ? multiplied(left, hull(1 / right.least, 1 / right.greatest)) : ANY,
  power: (base, exponent) => {
    if (base.least < 0) return ANY;
    return base.greatest <= 1 && exponent.least >= 0 ? UNIT : POSITIVE;
  },
  max: (left, right) => ({
    least: Math.max(left.least, right.least),
    greatest: Math.max(left.greatest, right.greatest),
  }),
  min: (left, right) => ({
    least: Math.min(left.least, right.least),
    greatest: Math.min(left.greatest, right.greatest),
  }),
  atan2: always(hull(-Math.PI, Math.PI)),
  modulo: always(ANY),
  less: always(UNIT),
  less_equal: always(UNIT),
  greater: always(UNIT),
  greater_equal: always(UNIT),
  equal: always(UNIT),
  not_equal: always(UNIT),
  and: always(UNIT),
  or: always(UNIT),
};

const countOf = (extents: readonly Extent[]): Interval =>
  extents
    .map((extent) => (typeof extent === 'number' ? hull(extent, extent) : { least: 1, greatest: Infinity }))
    .reduce(multiplied, hull(1, 1));

function intervalOfStatement(
  { indices, write, combine, body, finish }: Statement,
  intervals: ReadonlyMap<string, Interval>,
): Interval {
  // where a scatter writes nothing there is a neutral element
  const isWhole = write.every((at, axis) => isPlainIndex(at) === indices[axis]?.name);
  if (!isWhole) return ANY;
  const each = intervalOf(body, intervals, ANY);
  const reduced = indices.slice(write.length);
  const joined = {
    assign: each,
    max: each,
    min: each,
    sum: multiplied(each, countOf(reduced.map(({ extent }) => extent))),
    product: within(each, UNIT) ? UNIT : ANY,
    logsumexp: ANY,
    argmax: ANY,
    argmin: ANY,
  }[combine];
  return finish === undefined ? joined : intervalOf(finish, intervals, joined);
}

/** @param joined of what a `finish` is applied to */
function intervalOf(
  expression: Expression,
  intervals: ReadonlyMap<string, Interval>,
  joined: Interval,
): Interval {
  const known = new Map<Expression, Interval>();
  const visit = (node: Expression): Interval => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const interval = of(node);
    known.set(node, interval);
    return interval;
  };
  const ofRead = ({ tensor, outside }: Read): Interval => {
    const inside = intervals.get(tensor) ?? ANY;
    return outside === undefined ? inside : union(inside, hull(outside));
  };
  const of = (node: Expression): Interval => {
    switch (node.kind) {
      case 'constant':
        return hull(node.value);
      case 'read':
        return ofRead(node);
      case 'unary':
        return unaryIntervals[node.operator](visit(node.operand));
      case 'binary':
        return binaryIntervals[node.operator](visit(node.left), visit(node.right));
      case 'select':
        return union(visit(node.then), visit(node.otherwise));
      case 'call':
        return visit(valueOfCall(node));
      case 'extent_value':
        return { least: 1, greatest: Infinity };
      case 'accumulated':
        return joined;
      case 'index_value':
      case 'derivative':
        return ANY;
    }
  };
  return visit(expression);
}
