/**
 * Which tensors have infinite or huge values on purpose: constants of the formulas put them there, as in a mask
 * `j <= i ? s[i, j] : -inf` or `s[i, j] + (1 - m[j]) * -1e9`, and formulas pass them on until an exponential, a sigmoid or a comparison
 * takes them away. What a scatter by `max` leaves out is -inf, too.
 */
import { foldExpression, isScatter } from './expressions.ts';
import type { BinaryOperator, Combine, Expression, Program, Statement, UnaryOperator } from './types.ts';

/** Whether values may be huge by intention, above and below 0. */
export interface Intended {
  readonly above: boolean;
  readonly below: boolean;
}

/** A constant from here on is no quantity but stands for infinity. */
export const HUGE = 1e8;

const none: Intended = { above: false, below: false };
const both: Intended = { above: true, below: true };
const above = (is: boolean): Intended => ({ above: is, below: false });
const isAny = (of: Intended): boolean => of.above || of.below;

const union = (one: Intended, other: Intended): Intended => ({
  above: one.above || other.above,
  below: one.below || other.below,
});
const mirrored = ({ above: up, below }: Intended): Intended => ({ above: below, below: up });

type OfOne = (operand: Intended) => Intended;
const same: OfOne = (operand) => operand;
const onlyAbove: OfOne = (operand) => above(operand.above);
const eitherAbove: OfOne = (operand) => above(isAny(operand));
const taken: OfOne = () => none;
/** Where both signs are possible it is a mask that a product has made: of that only what is below is meant. */
const exponential: OfOne = (operand) => above(operand.above && !operand.below);

const ofUnary: Readonly<Record<UnaryOperator, OfOne>> = {
  negate: mirrored,
  abs: eitherAbove,
  sign: taken,
  floor: same,
  ceil: same,
  round: same,
  exp: exponential,
  expm1: exponential,
  log: onlyAbove,
  log1p: onlyAbove,
  log2: onlyAbove,
  sqrt: onlyAbove,
  sin: taken,
  cos: taken,
  tan: taken,
  asin: taken,
  acos: taken,
  atan: taken,
  sinh: same,
  cosh: eitherAbove,
  tanh: taken,
  asinh: same,
  acosh: onlyAbove,
  atanh: taken,
  erf: taken,
  sigmoid: taken,
  softplus: onlyAbove,
  relu: onlyAbove,
  norm_sqrt: onlyAbove,
  not: taken,
  stop_gradient: same,
};

type OfTwo = (left: Intended, right: Intended) => Intended;
const compared: OfTwo = () => none;

const ofBinary: Readonly<Record<BinaryOperator, OfTwo>> = {
  add: union,
  subtract: (left, right) => union(left, mirrored(right)),
  multiply: (left, right) => (isAny(left) || isAny(right) ? both : none),
  divide: (left) => (isAny(left) ? both : none),
  power: (base, exponent) => (isAny(base) ? both : above(isAny(exponent))),
  max: (left, right) => ({ above: left.above || right.above, below: left.below && right.below }),
  min: (left, right) => ({ above: left.above && right.above, below: left.below || right.below }),
  atan2: compared,
  modulo: compared,
  less: compared,
  less_equal: compared,
  greater: compared,
  greater_equal: compared,
  equal: compared,
  not_equal: compared,
  and: compared,
  or: compared,
};

/** A row that is all masked has an infinite maximum, which is worth a report. */
const ofCombine: Readonly<Record<Combine, OfOne>> = {
  assign: same,
  sum: same,
  product: (each) => (isAny(each) ? both : none),
  max: onlyAbove,
  min: (each) => ({ above: false, below: each.below }),
  logsumexp: onlyAbove,
  argmax: taken,
  argmin: taken,
};

/** What an element of a scatter is that nothing is written to. */
const neutral: Readonly<Partial<Record<Combine, Intended>>> = {
  max: { above: false, below: true },
  logsumexp: { above: false, below: true },
  min: { above: true, below: false },
};

/** The tensors that have such values. */
export function intendedInfinities({ statements }: Program): Map<string, Intended> {
  const known = new Map<string, Intended>();
  const of = (root: Expression, joined: Intended): Intended =>
    foldExpression<Intended>(root, (node, operands) => {
      const [first = none, second = none, third = none] = operands;
      switch (node.kind) {
        case 'constant':
          return { above: node.value >= HUGE, below: node.value <= -HUGE };
        case 'read': {
          const { outside = 0 } = node;
          return union(known.get(node.tensor) ?? none, { above: outside >= HUGE, below: outside <= -HUGE });
        }
        case 'unary':
          return ofUnary[node.operator](first);
        case 'binary':
          return ofBinary[node.operator](first, second);
        case 'select':
          return union(second, third);
        case 'call':
          return operands.reduce(union, none);
        case 'accumulated':
          return joined;
        case 'index_value':
        case 'derivative':
        case 'extent_value':
          return none;
      }
    });
  const ofStatement = (statement: Statement): Intended => {
    const { combine, body, finish } = statement;
    const joined = ofCombine[combine](of(body, none));
    const all = isScatter(statement) ? union(joined, neutral[combine] ?? none) : joined;
    return finish === undefined ? all : of(finish, all);
  };
  // in a recurrence they may come from a statement below; the sets only grow
  for (let changed = true; changed;) {
    changed = false;
    for (const statement of statements) {
      const before = known.get(statement.target) ?? none;
      const now = union(before, ofStatement(statement));
      if (now.above === before.above && now.below === before.below) continue;
      known.set(statement.target, now);
      changed = true;
    }
  }
  return known;
}
