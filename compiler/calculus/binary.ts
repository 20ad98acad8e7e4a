/**
 * Derivatives of the operators of two operands: each rule is given the operands a, b and the operator's own value y, and
 * says dy/da and dy/db. 'zero' says that the derivative is zero wherever it exists.
 */
import {
  add,
  binary,
  children,
  constant,
  divide,
  isConstant,
  multiply,
  negate,
  one,
  postorder,
  power as raise,
  select,
  subtract,
  unary,
  zero,
} from '../graph/expressions.ts';
import type { BinaryOperator, Expression } from '../graph/types.ts';

/** A partial derivative from the operands and the value of the operator. */
export type PartialRule = (a: Expression, b: Expression, y: Expression) => Expression;

export type BinaryRule = 'zero' | { readonly left: PartialRule; readonly right: PartialRule };

const half = constant(0.5);

export const binaryDerivatives: Readonly<Record<BinaryOperator, BinaryRule>> = {
  add: { left: () => one, right: () => one }, //                                     (a + b)' = 1, 1
  subtract: { left: () => one, right: () => constant(-1) }, //                       (a - b)' = 1, -1
  multiply: { left: (_, b) => b, right: (a) => a }, //                               (a · b)' = b, a
  divide: { left: (_, b) => divide(one, b), right: (_, b, y) => negate(divide(y, b)) }, // (a/b)' = 1/b, -y/b
  power: { left: powerOfBase, right: powerOfExponent }, //                             (aᵇ)' = b aᵇ⁻¹, y ln a
  max: { left: (a, b) => wins('greater', a, b), right: (a, b) => wins('greater', b, a) }, //    1 to the winner,
  min: { left: (a, b) => wins('less', a, b), right: (a, b) => wins('less', b, a) }, //          half-half at a tie
  atan2: {
    left: (a, b) => divide(b, squares(a, b)), //                          (∠ of (b, a))' = b/(a² + b²),
    right: (a, b) => negate(divide(a, squares(a, b))), //                                  -a/(a² + b²)
  },
  modulo: {
    left: () => one, //                                          (a - b floor(a/b))' = 1, -floor(a/b)
    right: (a, b) => negate(unary('floor', divide(a, b))),
  },
  less: 'zero',
  less_equal: 'zero',
  greater: 'zero',
  greater_equal: 'zero',
  equal: 'zero',
  not_equal: 'zero',
  and: 'zero',
  or: 'zero',
};

/** d(aᵇ)/da = b aᵇ⁻¹; where b may vanish, the product 0 · 0⁻¹ at a = 0 must not: then it is 0. */
function powerOfBase(a: Expression, b: Expression): Expression {
  if (isConstant(b)) {
    if (b.value === 0) return zero;
    return b.value === 1 ? one : multiply(b, raise(a, constant(b.value - 1)));
  }
  return select(binary('not_equal', b, zero), multiply(b, raise(a, subtract(b, one))), zero);
}

/** d(aᵇ)/db = aᵇ ln a; at a = 0 with b ≥ 0 the limit is 0 (b > 0) or a jump (b = 0, taken as 0 too). */
function powerOfExponent(a: Expression, b: Expression, y: Expression): Expression {
  const derivative = multiply(y, unary('log', a));
  if (isConstant(a) && a.value > 0) return derivative;
  const vanishes = binary('and', binary('equal', a, zero), binary('greater_equal', b, zero));
  return select(vanishes, zero, derivative);
}

/**
 * The share of `own` in max or min: 1 if it wins, 0 if it loses. At a tie it is ½, so that both together have 1;
 * against a compile-time constant it is 0, so that max(x, 0) is relu also in its derivative.
 */
function wins(comparison: 'greater' | 'less', own: Expression, other: Expression): Expression {
  const strictly = binary(comparison, own, other);
  if (isCompileTime(other)) return strictly;
  return select(strictly, one, select(binary('equal', own, other), half, zero));
}

function squares(a: Expression, b: Expression): Expression {
  return add(raise(a, constant(2)), raise(b, constant(2)));
}

/** True if nothing but constants stands in it. */
function isCompileTime(expression: Expression): boolean {
  return postorder(expression).every((node) => node.kind === 'constant' || children(node).length > 0);
}
