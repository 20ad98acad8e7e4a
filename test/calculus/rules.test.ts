import { create, all } from 'mathjs/number';
import { describe, expect, it } from 'vitest';
import { binaryDerivatives } from '../../compiler/calculus/binary.ts';
import { partialDerivative } from '../../compiler/calculus/derivative.ts';
import { unaryDerivatives } from '../../compiler/calculus/unary.ts';
import {
  binary,
  constant,
  divide,
  evaluateBinary,
  evaluateUnary,
  multiply,
  read,
  select,
  unary,
  zero,
} from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { BinaryOperator, Expression, UnaryOperator } from '../../compiler/graph/types.ts';
import { input, program } from './support.ts';

const math = create(all ?? {}, {});

/** The value of an expression over the scalars a and b. */
function evaluate(expression: Expression, a: number, b = 0): number {
  const source = program([input('a'), input('b')], [{ target: 'y', body: expression }]);
  return interpret(source, { tensors: { a: [a], b: [b] } }).get('y')?.[0] ?? NaN;
}

const a = read('a');
const b = read('b');
const byA = (expression: Expression): Expression =>
  partialDerivative(expression, (node) => node.tensor === 'a');
const byB = (expression: Expression): Expression =>
  partialDerivative(expression, (node) => node.tensor === 'b');

/** A central difference extrapolated to step 0. */
function slope(f: (x: number) => number, x: number): number {
  const central = (h: number): number => (f(x + h) - f(x - h)) / (2 * h);
  const h = 1e-3 * Math.max(1, Math.abs(x));
  return (4 * central(h / 2) - central(h)) / 3;
}

function expectClose(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(tolerance);
}

const everywhere = [-30, -3.2, -1.1, -0.6, -0.1, 0.2, 0.7, 1.3, 2.9, 30];
const inUnit = [-0.95, -0.5, -0.01, 0.3, 0.8];
const positives = [0.02, 0.4, 1, 3.7, 250];

/** Where each operator is smooth. */
const domains: Readonly<Record<UnaryOperator, readonly number[]>> = {
  negate: everywhere,
  abs: everywhere,
  sign: everywhere,
  floor: everywhere.filter((x) => !Number.isInteger(x)),
  ceil: everywhere.filter((x) => !Number.isInteger(x)),
  round: everywhere,
  exp: [-30, -2, 0, 1.5, 20],
  expm1: [-30, -2, 0, 1.5, 20],
  log: positives,
  log1p: [-0.9, ...positives],
  log2: positives,
  sqrt: positives,
  norm_sqrt: positives,
  sin: everywhere,
  cos: everywhere,
  tan: [-1.2, -0.4, 0, 0.9],
  asin: inUnit,
  acos: inUnit,
  atan: everywhere,
  sinh: [-5, -0.3, 0, 2, 20],
  cosh: [-5, -0.3, 0, 2, 20],
  tanh: everywhere,
  asinh: everywhere,
  acosh: [1.1, 1.5, 4, 100],
  atanh: inUnit,
  erf: everywhere,
  sigmoid: [-800, ...everywhere, 800],
  softplus: [-800, ...everywhere, 800],
  relu: everywhere,
  not: everywhere,
  stop_gradient: [],
};

describe('derivatives of unary operators', () => {
  it.each(Object.entries(domains) as [UnaryOperator, readonly number[]][])(
    '%s: the slope',
    (operator, points) => {
      const derivative = byA(unary(operator, a));
      for (const x of points) expectClose(evaluate(derivative, x), slope(evaluateUnary[operator], x), 1e-6);
    },
  );

  /** What mathjs can differentiate; sigmoid and softplus it can, written out. */
  const closedForms: Partial<Record<UnaryOperator, string>> = {
    negate: '-x',
    abs: 'abs(x)',
    exp: 'exp(x)',
    log: 'log(x)',
    sqrt: 'sqrt(x)',
    norm_sqrt: 'sqrt(x)',
    sin: 'sin(x)',
    cos: 'cos(x)',
    tan: 'tan(x)',
    asin: 'asin(x)',
    acos: 'acos(x)',
    atan: 'atan(x)',
    sinh: 'sinh(x)',
    cosh: 'cosh(x)',
    tanh: 'tanh(x)',
    asinh: 'asinh(x)',
    acosh: 'acosh(x)',
    atanh: 'atanh(x)',
    sigmoid: '1 / (1 + exp(-x))',
    softplus: 'log(1 + exp(x))',
  };
  it.each(Object.entries(closedForms) as [UnaryOperator, string][])(
    '%s: the same as of mathjs',
    (operator, text) => {
      const oracle = math.derivative(text, 'x', { simplify: false }).compile();
      const derivative = byA(unary(operator, a));
      for (const x of domains[operator].filter((point) => Math.abs(point) < 100))
        expectClose(evaluate(derivative, x), Number(oracle.evaluate({ x })), 1e-12);
    },
  );

  it('every rule that is not zero is right at extreme points: finite, no NaN', () => {
    const safe = Object.keys(unaryDerivatives).filter(
      (operator) => !['log', 'log1p', 'log2', 'sqrt', 'asin', 'acos', 'acosh', 'atanh'].includes(operator),
    ) as UnaryOperator[];
    for (const operator of safe)
      for (const x of [-700, -40, -1e-300, 0, 1e-300, 40, 700])
        expect(evaluate(byA(unary(operator, a)), x), `${operator} at ${x}`).toSatisfy(Number.isFinite);
  });

  it.each([
    ['relu', 0, 0],
    ['abs', 0, 0],
    ['norm_sqrt', 0, 0],
    ['sqrt', 0, Infinity],
    ['stop_gradient', 2, 0],
    ['sigmoid', 0, 0.25],
  ] as const)('%s has derivative at %d: %d', (operator, x, expected) => {
    expect(evaluate(byA(unary(operator, a)), x)).toBe(expected);
  });
});

describe('derivatives of binary operators', () => {
  const smooth: Partial<Record<BinaryOperator, readonly (readonly [number, number])[]>> = {
    add: [[1, 2]],
    subtract: [[1, 2]],
    multiply: [[-1.5, 2.5]],
    divide: [
      [3, 0.7],
      [-2, -5],
    ],
    power: [
      [2, 3],
      [0.3, -1.7],
      [5, 0.5],
      [3, 0],
    ],
    max: [
      [1, 2],
      [2, 1],
    ],
    min: [
      [1, 2],
      [2, 1],
    ],
    atan2: [
      [1, 2],
      [-1, -2],
      [3, -0.1],
      [1, 0],
    ],
    modulo: [
      [7.3, 2],
      [-7.3, 2],
      [7.3, -2],
    ],
    less: [[1, 2]],
    less_equal: [[1, 2]],
    greater: [[1, 2]],
    greater_equal: [[1, 2]],
    equal: [[1, 2]],
    not_equal: [[1, 2]],
    and: [[1, 2]],
    or: [[1, 2]],
  };
  it.each(Object.keys(binaryDerivatives) as BinaryOperator[])('%s: both slopes', (operator) => {
    const points = smooth[operator] ?? [];
    expect(points.length).toBeGreaterThan(0);
    const f = evaluateBinary[operator];
    for (const [x, y] of points) {
      expectClose(
        evaluate(byA(binary(operator, a, b)), x, y),
        slope((t) => f(t, y), x),
        1e-7,
      );
      expectClose(
        evaluate(byB(binary(operator, a, b)), x, y),
        slope((t) => f(x, t), y),
        1e-7,
      );
    }
  });

  it.each(['a * b', 'a / b', 'a ^ b', 'a ^ 3', '2 ^ b'])('%s: the same as of mathjs', (text) => {
    const expressions: Readonly<Record<string, Expression>> = {
      'a * b': multiply(a, b),
      'a / b': divide(a, b),
      'a ^ b': binary('power', a, b),
      'a ^ 3': binary('power', a, constant(3)),
      '2 ^ b': binary('power', constant(2), b),
    };
    const expression = expressions[text] ?? zero;
    for (const [name, derivative] of [
      ['a', byA(expression)],
      ['b', byB(expression)],
    ] as const) {
      const oracle = math.derivative(text, name, { simplify: false }).compile();
      for (const x of positives)
        for (const y of [-1.5, 0.5, 2])
          expectClose(evaluate(derivative, x, y), Number(oracle.evaluate({ a: x, b: y })), 1e-11);
    }
  });

  it('powers at 0: the base with exponents 0, 1, 2; the exponent with any that is not negative', () => {
    const power = binary('power', a, b);
    expect([0, 1, 2].map((exponent) => evaluate(byA(power), 0, exponent))).toEqual([0, 1, 0]);
    expect([0, 0.5, 2].map((exponent) => evaluate(byB(power), 0, exponent))).toEqual([0, 0, 0]);
    expect(evaluate(byA(binary('power', a, constant(2))), -3)).toBe(-6);
    expect(evaluate(byA(binary('power', a, constant(0))), 0)).toBe(0);
  });

  it('a tie of two operands is shared half-half; against a constant it has derivative 0', () => {
    for (const operator of ['max', 'min'] as const) {
      expect([byA, byB].map((by) => evaluate(by(binary(operator, a, b)), 2, 2))).toEqual([0.5, 0.5]);
      expect(evaluate(byA(binary(operator, a, zero)), 0)).toBe(0);
      expect(evaluate(byA(binary(operator, a, a)), 3)).toBe(1);
    }
  });
});

describe('the chain rule', () => {
  it('shares nodes instead of repeating them: linear in a deep chain', () => {
    let chain: Expression = a;
    for (let depth = 0; depth < 150; depth++) chain = multiply(chain, unary('sigmoid', chain));
    expect(evaluate(byA(chain), 1)).toSatisfy(Number.isFinite);
  });

  it.each([
    ['√a where a > 0', select(binary('greater', a, zero), unary('sqrt', a), zero), -1, 0],
    ['the same at 0', select(binary('greater', a, zero), unary('sqrt', a), zero), 0, 0],
    ['√ of a choice', unary('sqrt', select(binary('greater', a, zero), a, zero)), -1, 0],
    ['√ relu', unary('sqrt', unary('relu', a)), -1, 0],
    ['√ max', unary('sqrt', binary('max', a, b)), -1, 0],
    ['1/a of a choice', divide(constant(1), select(binary('not_equal', a, zero), a, zero)), 0, 0],
  ] as const)('a branch not taken has no part: %s', (_, expression, x, expected) => {
    expect(Math.abs(evaluate(byA(expression), x))).toBe(expected);
  });

  it('the condition of a choice has no derivative, its branches have', () => {
    const choice = select(binary('less', a, b), multiply(a, constant(2)), multiply(a, a));
    expect(evaluate(byA(choice), 1, 5)).toBe(2);
    expect(evaluate(byA(choice), 7, 5)).toBe(14);
    expect(byB(choice)).toEqual(zero);
  });

  it('uses the kept value of a node where it is told one', () => {
    const body = unary('tanh', a);
    const derivative = partialDerivative(
      body,
      (node) => node.tensor === 'a',
      (node) => (node === body ? b : node),
    );
    expect(evaluate(derivative, 100, 0.5)).toBe(0.75);
  });
});
