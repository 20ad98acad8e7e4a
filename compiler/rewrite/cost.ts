/** What an expression costs: additions count 1, the rest in proportion, each distinct node once, invariants nothing. */
import { foldExpression, postorder } from '../graph/expressions.ts';
import type { BinaryOperator, Expression, UnaryOperator } from '../graph/types.ts';

const transcendental = 12;

const unaryCosts: Readonly<Record<UnaryOperator, number>> = {
  negate: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  ceil: 1,
  round: 2,
  exp: transcendental,
  expm1: transcendental,
  log: transcendental,
  log1p: transcendental,
  log2: transcendental,
  sqrt: 4,
  sin: transcendental,
  cos: transcendental,
  tan: transcendental,
  asin: transcendental,
  acos: transcendental,
  atan: transcendental,
  sinh: transcendental,
  cosh: transcendental,
  tanh: transcendental,
  asinh: transcendental,
  acosh: transcendental,
  atanh: transcendental,
  erf: transcendental,
  sigmoid: transcendental,
  softplus: 2 * transcendental,
  relu: 1,
  norm_sqrt: 4,
  not: 1,
  stop_gradient: 0,
};

const binaryCosts: Readonly<Record<BinaryOperator, number>> = {
  add: 1,
  subtract: 1,
  multiply: 1,
  divide: 2,
  power: 2 * transcendental,
  max: 1,
  min: 1,
  atan2: transcendental,
  modulo: 4,
  less: 1,
  less_equal: 1,
  greater: 1,
  greater_equal: 1,
  equal: 1,
  not_equal: 1,
  and: 1,
  or: 1,
};

/** The cost of one node without its operands. A small whole power is as many products. */
function ownCost(node: Expression): number {
  switch (node.kind) {
    case 'unary':
      return unaryCosts[node.operator];
    case 'binary': {
      if (node.operator !== 'power' || node.right.kind !== 'constant') return binaryCosts[node.operator];
      const exponent = node.right.value;
      if (exponent === 0.5) return unaryCosts.sqrt;
      return Number.isInteger(exponent) && exponent > 0 && exponent <= 4 ? exponent - 1 : binaryCosts.power;
    }
    case 'select':
      return 1;
    case 'call':
      return costOf(node.callee.value);
    default:
      return 0;
  }
}

/** The cost of one operation. */
export function costOfOne(operator: UnaryOperator): number {
  return unaryCosts[operator];
}

/** The cost of computing it once, every distinct node counted. */
export function costOf(root: Expression): number {
  return postorder(root).reduce((cost, node) => cost + ownCost(node), 0);
}

/** The cost per element: parts without an index are computed once for all, and free. */
export function costPerElement(root: Expression): number {
  let cost = 0;
  foldExpression<boolean>(root, (node, operands) => {
    const varies = operands.some(Boolean) || hasIndex(node);
    if (varies) cost += ownCost(node);
    return varies;
  });
  return cost;
}

function hasIndex(node: Expression): boolean {
  if (node.kind === 'index_value') return true;
  return node.kind === 'accumulated' || (node.kind === 'read' && node.at.length > 0);
}
