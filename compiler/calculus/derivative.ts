/**
 * The partial derivative of a scalar expression by some of its reads, by the chain rule over its nodes.
 *
 * Selects stay outside of products (`c ? f · d : 0`, not `f · (c ? d : 0)`): where a branch is not taken, nothing of its
 * derivative is multiplied, so that an infinite factor there cannot turn a zero into NaN.
 */
import {
  add,
  constant,
  divide,
  equalExpressions,
  foldExpression,
  isConstant,
  mapExpression,
  multiply,
  negate,
  one,
  rangeOf,
  select,
  zero,
} from '../graph/expressions.ts';
import { withOperands } from '../graph/own-functions.ts';
import type { Expression, OwnCall, Read } from '../graph/types.ts';
import { binaryDerivatives } from './binary.ts';
import { unaryDerivatives } from './unary.ts';

/**
 * ∂body/∂v, where v stands for every read that `isVariable` accepts. `valueOf` says how the value of a node is best had
 * again: the node itself, or a read of the tensor that keeps it. The cost is linear in the distinct nodes.
 */
export function partialDerivative(
  body: Expression,
  isVariable: (read: Read) => boolean,
  valueOf: (node: Expression) => Expression = (node) => node,
): Expression {
  return foldExpression<Expression>(body, (node, operands) => {
    if (node.kind === 'read') return isVariable(node) ? one : zero;
    if (operands.every((derivative) => isConstant(derivative, 0))) return zero;
    const [first = zero, second = zero, third = zero] = operands;
    switch (node.kind) {
      case 'unary': {
        const rule = unaryDerivatives[node.operator];
        return rule === 'zero' ? zero : scale(rule(node.operand, valueOf(node)), first);
      }
      case 'binary': {
        const rule = binaryDerivatives[node.operator];
        if (rule === 'zero') return zero;
        const { left, right } = node;
        const part = (derivative: Expression, factor: typeof rule.left): Expression =>
          isConstant(derivative, 0) ? zero : scale(factor(left, right, valueOf(node)), derivative);
        return add(part(first, rule.left), part(second, rule.right));
      }
      case 'select':
        return equalExpressions(second, third) ? second : select(node.condition, second, third);
      case 'call':
        return partialsOf(node, valueOf).reduce<Expression>(
          (sum, partial, place) => add(sum, scale(partial, operands[place] ?? zero)),
          zero,
        );
      default:
        return zero;
    }
  });
}

/** The function's own partial derivatives at the operands. Where they call it at these again, its value is at hand. */
function partialsOf(node: OwnCall, valueOf: (node: Expression) => Expression): Expression[] {
  const { callee, operands } = node;
  return callee
    .partials()
    .map((partial) =>
      mapExpression(withOperands(partial, callee, operands), (part) =>
        part.kind === 'call' && equalExpressions(part, node) ? valueOf(node) : part,
      ),
    );
}

/**
 * factor · derivative, with 0 and 1 folded, conditions moved outside, and a truth value as factor made a condition:
 * (y > 0) · d is y > 0 ? d : 0. A zero here is a structural one (no dependence), hence stronger than any factor.
 */
export function scale(factor: Expression, derivative: Expression): Expression {
  if (derivative.kind === 'constant' && derivative.value === 0) return zero;
  if (factor.kind === 'constant') return scaleByConstant(factor.value, factor, derivative);
  if (rangeOf(factor) === 'truth') return select(factor, derivative, zero);
  if (factor.kind === 'select' && hasZeroBranch(factor))
    return select(factor.condition, scale(factor.then, derivative), scale(factor.otherwise, derivative));
  if (derivative.kind === 'select' && hasZeroBranch(derivative))
    return select(derivative.condition, scale(factor, derivative.then), scale(factor, derivative.otherwise));
  if (derivative.kind === 'constant' && Math.abs(derivative.value) === 1)
    return derivative.value === 1 ? factor : negate(factor);
  if (factor.kind === 'unary' && factor.operator === 'negate')
    return negate(scale(factor.operand, derivative));
  if (factor.kind === 'binary' && factor.operator === 'divide') {
    const { left, right } = factor;
    if (left.kind === 'constant' && Math.abs(left.value) === 1)
      return scaleByConstant(left.value, left, divide(derivative, right));
  }
  if (derivative.kind === 'unary' && derivative.operator === 'negate')
    return negate(scale(factor, derivative.operand));
  if (derivative.kind === 'binary' && derivative.operator === 'divide' && isConstant(derivative.left, 1))
    return divide(factor, derivative.right);
  return multiply(factor, derivative);
}

/** A finite number needs no care: it stays before a select. */
function scaleByConstant(value: number, factor: Expression, derivative: Expression): Expression {
  if (value === 0) return zero;
  if (value === 1) return derivative;
  if (value === -1) return negate(derivative);
  return derivative.kind === 'constant' ? constant(value * derivative.value) : multiply(factor, derivative);
}

/** With a zero in its first branch, or in its last (which may again be a choice: greater, equal, or else 0). */
function hasZeroBranch(expression: Expression): boolean {
  if (expression.kind !== 'select') return false;
  const { then, otherwise } = expression;
  if (isConstant(then, 0) || isConstant(otherwise, 0)) return true;
  return isConstant(then, 1) && otherwise.kind === 'select' && isConstant(otherwise.otherwise, 0);
}
