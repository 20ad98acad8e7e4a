/** The operators of the graph: how each is printed, what its value may be, and what it computes, in float64. One line each. */
import { erf, logisticSigmoid, roundHalfEven, softplus } from './special-functions.ts';
import type { BinaryOperator, Combine, Expression, UnaryOperator } from './types.ts';

/** How tightly the operators of the language bind, loosest first. */
export const precedence = {
  ternary: 1,
  or: 2,
  and: 3,
  not: 4,
  comparison: 5,
  sum: 6,
  product: 7,
  negation: 8,
  power: 9,
  primary: 10,
} as const;

export interface PrintedForm {
  /** `call`: text(a) or text(a, b); `prefix`: text a; `infix`: a text b */
  readonly form: 'call' | 'prefix' | 'infix';
  readonly text: string;
  readonly precedence: number;
}

const call = (text: string): PrintedForm => ({ form: 'call', text, precedence: precedence.primary });
const infix = (text: string, level: number): PrintedForm => ({ form: 'infix', text, precedence: level });

/** Operators of one operand, as the language writes them. */
export const unaryOperators: Readonly<Record<UnaryOperator, PrintedForm>> = {
  negate: { form: 'prefix', text: '-', precedence: precedence.negation },
  not: { form: 'prefix', text: 'not ', precedence: precedence.not },
  abs: call('abs'),
  sign: call('sign'),
  floor: call('floor'),
  ceil: call('ceil'),
  round: call('round'),
  exp: call('exp'),
  expm1: call('expm1'),
  log: call('log'),
  log1p: call('log1p'),
  log2: call('log2'),
  sqrt: call('sqrt'),
  sin: call('sin'),
  cos: call('cos'),
  tan: call('tan'),
  asin: call('asin'),
  acos: call('acos'),
  atan: call('atan'),
  sinh: call('sinh'),
  cosh: call('cosh'),
  tanh: call('tanh'),
  asinh: call('asinh'),
  acosh: call('acosh'),
  atanh: call('atanh'),
  erf: call('erf'),
  sigmoid: call('sigmoid'),
  softplus: call('softplus'),
  relu: call('relu'),
  norm_sqrt: call('norm_sqrt'),
  stop_gradient: call('stop_gradient'),
};

/** Operators of two operands, as the language writes them. */
export const binaryOperators: Readonly<Record<BinaryOperator, PrintedForm>> = {
  add: infix('+', precedence.sum),
  subtract: infix('-', precedence.sum),
  multiply: infix('*', precedence.product),
  divide: infix('/', precedence.product),
  power: infix('^', precedence.power),
  less: infix('<', precedence.comparison),
  less_equal: infix('<=', precedence.comparison),
  greater: infix('>', precedence.comparison),
  greater_equal: infix('>=', precedence.comparison),
  equal: infix('==', precedence.comparison),
  not_equal: infix('!=', precedence.comparison),
  and: infix('and', precedence.and),
  or: infix('or', precedence.or),
  max: call('max'),
  min: call('min'),
  atan2: call('atan2'),
  modulo: call('mod'),
};

/**
 * What an operator's value is for finite operands: `truth`: 1 or 0; `finite`: a finite number (sums and products beyond
 * the largest number apart); `any`: perhaps infinite or NaN.
 */
export type ValueRange = 'truth' | 'finite' | 'any';

const unaryRanges: Readonly<Record<UnaryOperator, ValueRange>> = {
  negate: 'finite',
  not: 'truth',
  abs: 'finite',
  sign: 'finite',
  floor: 'finite',
  ceil: 'finite',
  round: 'finite',
  exp: 'any', // overflows
  expm1: 'any', // overflows
  log: 'any', // a pole at 0
  log1p: 'any', // a pole at -1
  log2: 'any', // a pole at 0
  sqrt: 'any', // none below 0
  sin: 'finite',
  cos: 'finite',
  tan: 'any', // a pole at π/2
  asin: 'any', // none beyond 1
  acos: 'any', // none beyond 1
  atan: 'finite',
  sinh: 'any', // overflows
  cosh: 'any', // overflows
  tanh: 'finite',
  asinh: 'finite',
  acosh: 'any', // none below 1
  atanh: 'any', // poles at ±1
  erf: 'finite',
  sigmoid: 'finite',
  softplus: 'finite', // at most |x| + log 2
  relu: 'finite',
  norm_sqrt: 'any', // none below 0
  stop_gradient: 'finite',
};

const binaryRanges: Readonly<Record<BinaryOperator, ValueRange>> = {
  add: 'finite',
  subtract: 'finite',
  multiply: 'finite',
  divide: 'any', // a pole at x / 0
  power: 'any', // 0^-1, (-1)^0.5, overflow
  less: 'truth',
  less_equal: 'truth',
  greater: 'truth',
  greater_equal: 'truth',
  equal: 'truth',
  not_equal: 'truth',
  and: 'truth',
  or: 'truth',
  max: 'finite',
  min: 'finite',
  atan2: 'finite',
  modulo: 'any', // none by 0
};

/** What is known of the value of an operator's node; undefined for a leaf or a choice. */
export function rangeOf(node: Expression): ValueRange | undefined {
  if (node.kind === 'unary') return unaryRanges[node.operator];
  return node.kind === 'binary' ? binaryRanges[node.operator] : undefined;
}

/** e with e ⊕ x = x: what an element is where no value meets. A place is -1 there. */
export const neutralElements: Readonly<Record<Combine, number>> = {
  assign: 0,
  sum: 0,
  product: 1,
  max: -Infinity,
  min: Infinity,
  logsumexp: -Infinity,
  argmax: -1,
  argmin: -1,
};

/** The value of each operator. */
export const evaluateUnary: Readonly<Record<UnaryOperator, (x: number) => number>> = {
  negate: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  erf,
  sigmoid: logisticSigmoid,
  softplus,
  relu: (x) => Math.max(x, 0),
  norm_sqrt: Math.sqrt,
  not: (x) => (x === 0 ? 1 : 0),
  stop_gradient: (x) => x,
};

/** The value of each operator; comparisons and logic give 1 or 0. */
export const evaluateBinary: Readonly<Record<BinaryOperator, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y) => x * y,
  divide: (x, y) => x / y,
  power: (x, y) => x ** y,
  max: Math.max,
  min: Math.min,
  atan2: Math.atan2,
  modulo: flooredModulo,
  less: (x, y) => Number(x < y),
  less_equal: (x, y) => Number(x <= y),
  greater: (x, y) => Number(x > y),
  greater_equal: (x, y) => Number(x >= y),
  equal: (x, y) => Number(x === y),
  not_equal: (x, y) => Number(x !== y),
  and: (x, y) => Number(x !== 0 && y !== 0),
  or: (x, y) => Number(x !== 0 || y !== 0),
};

/** x - y·floor(x / y): the sign of the divisor, as in mathematics and Python. */
function flooredModulo(x: number, y: number): number {
  const remainder = x % y;
  return remainder !== 0 && remainder < 0 !== y < 0 ? remainder + y : remainder;
}
