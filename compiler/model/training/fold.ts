/** What constants decide in an update, so that a hyper-parameter of 0 costs nothing: momentum = 0 keeps no momentum. */
import {
  add,
  constant,
  divide,
  equalExpressions,
  evaluateBinary,
  evaluateUnary,
  isConstant,
  mapExpression,
  multiply,
  power,
  select,
  subtract,
  zero,
} from '../../graph/expressions.ts';
import type { Binary, Expression } from '../../graph/types.ts';

/**
 * The expression with constants put together. Zero times anything is zero here, also times an infinite state: a
 * hyper-parameter of 0 means "without".
 */
export function foldConstants(root: Expression): Expression {
  return mapExpression(root, (node) => {
    switch (node.kind) {
      case 'unary':
        return node.operand.kind === 'constant'
          ? short(evaluateUnary[node.operator](node.operand.value), node)
          : node;
      case 'binary':
        return node.left.kind === 'constant' && node.right.kind === 'constant'
          ? short(evaluateBinary[node.operator](node.left.value, node.right.value), node)
          : foldBinary(node);
      case 'select':
        return equalExpressions(node.then, node.otherwise)
          ? node.then
          : select(node.condition, node.then, node.otherwise);
      default:
        return node;
    }
  });
}

/** The number, unless it says less than the formula does: 1 - 0.9 is not 0.09999999999999998 to a reader. */
function short(value: number, formula: Expression): Expression {
  return String(value).length <= 8 ? constant(value) : formula;
}

function foldBinary(node: Binary): Expression {
  const { operator, left, right } = node;
  switch (operator) {
    case 'add':
      return add(left, right);
    case 'subtract':
      return subtract(left, right);
    case 'multiply':
      return isConstant(left, 0) || isConstant(right, 0) ? zero : multiply(left, right);
    case 'divide':
      return isConstant(left, 0) ? zero : divide(left, right);
    case 'power':
      return power(left, right);
    case 'and':
      return isConstant(left, 0) || isConstant(right, 0) ? zero : node;
    default:
      return node;
  }
}
