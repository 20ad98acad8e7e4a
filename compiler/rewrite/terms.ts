/** Long sums and products seen flat: a - b + c is three signed terms, a * b / c a quotient of factor lists. */
import {
  add,
  constant,
  divide,
  isConstant,
  multiply,
  negate,
  one,
  subtract,
  zero,
} from '../graph/expressions.ts';
import type { Expression } from '../graph/types.ts';

export interface Term {
  readonly sign: 1 | -1;
  readonly of: Expression;
}

export interface Quotient {
  readonly sign: 1 | -1;
  readonly numerator: readonly Expression[];
  readonly denominator: readonly Expression[];
}

const flipped = (sign: 1 | -1): 1 | -1 => (sign === 1 ? -1 : 1);

/** The terms of a sum, left to right. Negative constants become positive terms with a minus. */
export function termsOf(root: Expression): Term[] {
  const terms: Term[] = [];
  const stack: Term[] = [{ sign: 1, of: root }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { sign, of } = top;
    if (of.kind === 'binary' && (of.operator === 'add' || of.operator === 'subtract')) {
      stack.push({ sign: of.operator === 'add' ? sign : flipped(sign), of: of.right }, { sign, of: of.left });
    } else if (of.kind === 'unary' && of.operator === 'negate') {
      stack.push({ sign: flipped(sign), of: of.operand });
    } else if (of.kind === 'constant' && of.value < 0) {
      terms.push({ sign: flipped(sign), of: constant(-of.value) });
    } else terms.push(top);
  }
  return terms;
}

/** The sum of terms: as written, but a positive term comes first; if there is none, the minus stands before all. */
export function sumOf(terms: readonly Term[]): Expression {
  if (terms.length > 1 && terms.every(({ sign }) => sign === -1))
    return negate(sumOf(terms.map(({ of }) => ({ sign: 1, of }))));
  const first = terms.findIndex((term) => term.sign === 1);
  const start = terms[Math.max(first, 0)];
  if (start === undefined) return zero;
  let sum = start.sign === 1 ? start.of : negate(start.of);
  for (const term of terms) {
    if (term !== start) sum = term.sign === 1 ? add(sum, term.of) : subtract(sum, term.of);
  }
  return sum;
}

/** The factors of a product of products and quotients, left to right, with the sign taken out. */
export function factorsOf(root: Expression): Quotient {
  const numerator: Expression[] = [];
  const denominator: Expression[] = [];
  let sign: 1 | -1 = 1;
  const stack = [{ above: true, of: root }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { above, of } = top;
    if (of.kind === 'binary' && (of.operator === 'multiply' || of.operator === 'divide')) {
      stack.push(
        { above: of.operator === 'multiply' ? above : !above, of: of.right },
        { above, of: of.left },
      );
    } else if (of.kind === 'unary' && of.operator === 'negate') {
      sign = flipped(sign);
      stack.push({ above, of: of.operand });
    } else if (of.kind === 'constant' && of.value < 0) {
      sign = flipped(sign);
      stack.push({ above, of: constant(-of.value) });
    } else if (!isConstant(of, 1)) (above ? numerator : denominator).push(of);
  }
  return { sign, numerator, denominator };
}

/** The quotient as one expression; a minus goes into a difference if there is one: -((y - a) / n) is (a - y) / n. */
export function quotientOf({ sign, numerator, denominator }: Quotient): Expression {
  const difference = sign === 1 ? -1 : numerator.findIndex(isDifference);
  const factors = numerator.map((factor, place) => (place === difference ? swapped(factor) : factor));
  const above = productOf(factors);
  const value = denominator.length === 0 ? above : divide(above, productOf(denominator));
  return sign === 1 || difference >= 0 ? value : negate(value);
}

function isDifference(node: Expression): boolean {
  return node.kind === 'binary' && node.operator === 'subtract';
}

function swapped(node: Expression): Expression {
  return node.kind === 'binary' ? { ...node, left: node.right, right: node.left } : negate(node);
}

export function productOf(factors: readonly Expression[]): Expression {
  return factors.reduce<Expression>((product, factor) => multiply(product, factor), one);
}

/** True if a minus stands before it, or can be drawn before it. */
export function isNegative(node: Expression): boolean {
  if (node.kind === 'constant') return node.value < 0;
  if (node.kind === 'unary') return node.operator === 'negate';
  if (node.kind !== 'binary') return false;
  return (node.operator === 'multiply' || node.operator === 'divide') && factorsOf(node).sign === -1;
}

/** -node, with the minus put where it vanishes if it can. */
export function opposite(node: Expression): Expression {
  if (node.kind === 'binary') {
    if (node.operator === 'subtract') return subtract(node.right, node.left);
    const quotient = factorsOf(node);
    if (quotient.sign === -1) return quotientOf({ ...quotient, sign: 1 });
  }
  return negate(node);
}
