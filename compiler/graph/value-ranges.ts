/**
 * Between which bounds the values of a tensor are, by interval arithmetic on the formulas: whatever is read counts as
 * independent, so that the bounds may be too wide and never too narrow (but for rounding, and for NaN).
 */
import { isPlainIndex } from './index-expressions.ts';
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

export interface ValueRange {
  readonly least: number;
  readonly greatest: number;
}

const ANY: ValueRange = { least: -Infinity, greatest: Infinity };
const POSITIVE: ValueRange = { least: 0, greatest: Infinity };
const UNIT: ValueRange = { least: 0, greatest: 1 };
const SIGNED_UNIT: ValueRange = { least: -1, greatest: 1 };

/** The names of the tensors whose values are between 0 and 1: a sigmoid, a comparison, what is clipped. */
export function probabilities(program: Program): Set<string> {
  const ranges = [...valueRanges(program)];
  return new Set(ranges.filter(([, range]) => within(range, UNIT)).map(([name]) => name));
}

/** Of every tensor of a program. */
export function valueRanges(program: Program): Map<string, ValueRange> {
  const ranges = new Map<string, ValueRange>();
  for (const tensor of program.tensors.values())
    if (tensor.role !== 'intermediate') ranges.set(tensor.name, rangeOfGiven(tensor));
  // what a recurrence reads of steps to come in this list is not known yet, so it may be anything
  for (const statement of program.statements)
    ranges.set(statement.target, rangeOfStatement(statement, ranges));
  return ranges;
}

function rangeOfGiven({ role, range, distribution }: Tensor): ValueRange {
  if (role === 'input' && range !== undefined) return range;
  if (distribution?.kind === 'bernoulli') return UNIT;
  if (distribution?.kind === 'uniform') return hull(distribution.low, distribution.high);
  return ANY;
}

/** The least range with all of these values; any where one of them is undefined (0 · ∞). */
function hull(...values: readonly number[]): ValueRange {
  if (values.some(Number.isNaN)) return ANY;
  return { least: Math.min(...values), greatest: Math.max(...values) };
}

const union = (one: ValueRange, other: ValueRange): ValueRange =>
  hull(one.least, one.greatest, other.least, other.greatest);

/** Of a function that never falls. */
const rising =
  (of: (value: number) => number) =>
  ({ least, greatest }: ValueRange): ValueRange =>
    hull(of(least), of(greatest));

const always = (range: ValueRange) => (): ValueRange => range;

const UNARY: Readonly<Record<UnaryOperator, (operand: ValueRange) => ValueRange>> = {
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

type OfTwo = (left: ValueRange, right: ValueRange) => ValueRange;

const multiplied: OfTwo = (left, right) =>
  hull(
    left.least * right.least,
    left.least * right.greatest,
    left.greatest * right.least,
    left.greatest * right.greatest,
  );

const within = ({ least, greatest }: ValueRange, range: ValueRange): boolean =>
  least >= range.least && greatest <= range.greatest;

const BINARY: Readonly<Record<BinaryOperator, OfTwo>> = {
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

const countOf = (extents: readonly Extent[]): ValueRange =>
  extents
    .map((extent) => (typeof extent === 'number' ? hull(extent, extent) : { least: 1, greatest: Infinity }))
    .reduce(multiplied, hull(1, 1));

function rangeOfStatement(
  { indices, write, combine, body, finish }: Statement,
  ranges: ReadonlyMap<string, ValueRange>,
): ValueRange {
  // where a scatter writes nothing there is a neutral element
  const isWhole = write.every((at, axis) => isPlainIndex(at) === indices[axis]?.name);
  if (!isWhole) return ANY;
  const each = rangeOf(body, ranges, ANY);
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
  return finish === undefined ? joined : rangeOf(finish, ranges, joined);
}

/** @param joined of what a `finish` is applied to */
function rangeOf(
  expression: Expression,
  ranges: ReadonlyMap<string, ValueRange>,
  joined: ValueRange,
): ValueRange {
  const known = new Map<Expression, ValueRange>();
  const visit = (node: Expression): ValueRange => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const range = of(node);
    known.set(node, range);
    return range;
  };
  const ofRead = ({ tensor, outside }: Read): ValueRange => {
    const inside = ranges.get(tensor) ?? ANY;
    return outside === undefined ? inside : union(inside, hull(outside));
  };
  const of = (node: Expression): ValueRange => {
    switch (node.kind) {
      case 'constant':
        return hull(node.value);
      case 'read':
        return ofRead(node);
      case 'unary':
        return UNARY[node.operator](visit(node.operand));
      case 'binary':
        return BINARY[node.operator](visit(node.left), visit(node.right));
      case 'select':
        return union(visit(node.then), visit(node.otherwise));
      case 'extent_value':
        return { least: 1, greatest: Infinity };
      case 'accumulated':
        return joined;
      case 'index_value':
        return ANY;
    }
  };
  return visit(expression);
}
