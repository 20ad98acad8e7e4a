/**
 * Derivatives of the operators of one operand. Each rule is given the operand x and the operator's own value y, and says
 * dy/dx in terms of whatever the forward pass has at hand: σ' = y(1 - y) needs no second exponential.
 *
 * A rule that gives a truth value (relu' = y > 0) switches the chain on and off: see `scale` in derivative.ts.
 * 'zero' says that the derivative is zero wherever it exists.
 */
import {
  add,
  binary,
  constant,
  divide,
  multiply,
  negate,
  one,
  power,
  select,
  subtract,
  unary,
  zero,
} from '../graph/expressions.ts';
import type { Expression, UnaryOperator } from '../graph/types.ts';

/** dy/dx from the operand x and the value y of the operator. */
export type UnaryRule = 'zero' | ((x: Expression, y: Expression) => Expression);

const two = constant(2);
const square = (u: Expression): Expression => power(u, two);
const sqrt = (u: Expression): Expression => unary('sqrt', u);

export const unaryDerivatives: Readonly<Record<UnaryOperator, UnaryRule>> = {
  negate: () => constant(-1), //                                                          (-x)' = -1
  abs: (x) => unary('sign', x), //                                                         |x|' = sign x, 0 at 0
  sign: 'zero',
  floor: 'zero',
  ceil: 'zero',
  round: 'zero',
  exp: (_, y) => y, //                                                                  (eˣ)' = y
  expm1: (_, y) => add(y, one), //                                                  (eˣ - 1)' = y + 1
  log: (x) => divide(one, x), //                                                      (ln x)' = 1/x
  log1p: (x) => divide(one, add(one, x)), //                                    (ln (1 + x))' = 1/(1 + x)
  log2: (x) => divide(one, multiply(x, constant(Math.LN2))), //                     (log₂ x)' = 1/(x ln 2)
  sqrt: (_, y) => divide(one, multiply(two, y)), //                                     (√x)' = 1/(2y)
  norm_sqrt: (_, y) => select(positive(y), divide(one, multiply(two, y)), zero), //      (√x)' = 1/(2y), 0 at 0
  sin: (x) => unary('cos', x), //                                                      (sin x)' = cos x
  cos: (x) => negate(unary('sin', x)), //                                              (cos x)' = -sin x
  tan: (_, y) => add(one, square(y)), //                                               (tan x)' = 1 + y²
  asin: (x) => divide(one, sqrt(oneMinusSquare(x))), //                             (arcsin x)' = 1/√(1 - x²)
  acos: (x) => divide(constant(-1), sqrt(oneMinusSquare(x))), //                    (arccos x)' = -1/√(1 - x²)
  atan: (x) => divide(one, add(one, square(x))), //                                 (arctan x)' = 1/(1 + x²)
  sinh: (x) => unary('cosh', x), //                                                   (sinh x)' = cosh x
  cosh: (x) => unary('sinh', x), //                                                   (cosh x)' = sinh x
  tanh: (_, y) => subtract(one, square(y)), //                                        (tanh x)' = 1 - y²
  asinh: (x) => divide(one, sqrt(add(square(x), one))), //                         (arsinh x)' = 1/√(x² + 1)
  acosh: (x) => divide(one, sqrt(multiply(subtract(x, one), add(x, one)))), //     (arcosh x)' = 1/√(x² - 1)
  atanh: (x) => divide(one, oneMinusSquare(x)), //                                 (artanh x)' = 1/(1 - x²)
  erf: (x) => multiply(constant(2 / Math.sqrt(Math.PI)), unary('exp', negate(square(x)))), //  (erf x)' = 2/√π e^(-x²)
  sigmoid: (_, y) => multiply(y, subtract(one, y)), //                                   (σ x)' = y (1 - y)
  softplus: (x) => unary('sigmoid', x), //                                     (ln (1 + eˣ))' = σ x
  relu: (_, y) => positive(y), //                                                     (relu x)' = y > 0
  not: 'zero',
  stop_gradient: 'zero', //                                                                       by its meaning
};

function positive(u: Expression): Expression {
  return binary('greater', u, zero);
}

/** 1 - u² as (1 - u)(1 + u): it keeps its digits where |u| is near 1. */
function oneMinusSquare(u: Expression): Expression {
  return multiply(subtract(one, u), add(one, u));
}
