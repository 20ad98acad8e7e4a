import { describe, expect, it } from 'vitest';
import {
  binaryOperators,
  evaluateBinary,
  evaluateUnary,
  rangeOf,
  unaryOperators,
} from '../../compiler/graph/operators.ts';
import { binary, constant, unary } from '../../compiler/graph/expressions.ts';
import type { BinaryOperator, UnaryOperator } from '../../compiler/graph/types.ts';

/** erf to 17 digits, computed by mpmath with 40 digits. */
const erfValues: readonly (readonly [number, number])[] = [
  [1e-300, 1.1283791670955126e-300],
  [1e-8, 1.1283791670955125e-8],
  [0.1, 0.11246291601828488],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [1.4999, 0.9660932516622953],
  [1.5, 0.9661051464753108],
  [1.75, 0.9866716712191824],
  [2, 0.9953222650189527],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [4, 0.9999999845827421],
  [5.5, 0.9999999999999927],
];

describe('unary operators', () => {
  it.each(erfValues)('erf(%f) is right to 1e-15', (x, expected) => {
    expect(Math.abs(evaluateUnary.erf(x) / expected - 1)).toBeLessThan(1e-15);
    expect(evaluateUnary.erf(-x)).toBe(-evaluateUnary.erf(x));
  });

  it('erf has its limits, and is not a number of none', () => {
    expect([0, 6, -6, Infinity, -Infinity, NaN].map(evaluateUnary.erf)).toEqual([0, 1, -1, 1, -1, NaN]);
  });

  it('sigmoid overflows nowhere and keeps its small values', () => {
    expect([0, 1000, -1000].map(evaluateUnary.sigmoid)).toEqual([0.5, 1, 0]);
    expect(evaluateUnary.sigmoid(-700)).toBeCloseTo(Math.exp(-700), 310);
    expect(evaluateUnary.sigmoid(-700)).toBeGreaterThan(0);
    expect(evaluateUnary.sigmoid(1) + evaluateUnary.sigmoid(-1)).toBeCloseTo(1, 15);
  });

  it('softplus is log(1 + exp(x)) without overflow', () => {
    expect(evaluateUnary.softplus(1000)).toBe(1000);
    expect(evaluateUnary.softplus(-40)).toBe(Math.exp(-40));
    expect(evaluateUnary.softplus(0)).toBe(Math.log(2));
  });

  it('round goes to the even one of two equally near', () => {
    const rounded = [-2.5, -1.5, 0.5, 1.5, 2.5, 2.4, 2.6, -2.6, 1e300].map(evaluateUnary.round);
    expect(rounded).toEqual([-2, -2, 0, 2, 2, 2, 3, -3, 1e300]);
    expect(evaluateUnary.round(0.49999999999999994)).toBe(0);
  });

  it('relu, not, sign and norm_sqrt take 0 as 0', () => {
    const { relu, not, sign, norm_sqrt } = evaluateUnary;
    expect([relu(-1), relu(0), relu(2), relu(NaN)]).toEqual([0, 0, 2, NaN]);
    expect([not(0), not(0.5), not(-1)]).toEqual([1, 0, 0]);
    expect([sign(0), norm_sqrt(0), norm_sqrt(9)]).toEqual([0, 0, 3]);
  });
});

/** The operator at (1, 2), (2, 2), (2, 1), (0, 2) and (0, 0). */
function table(operator: BinaryOperator): number[] {
  const evaluate = evaluateBinary[operator];
  return [evaluate(1, 2), evaluate(2, 2), evaluate(2, 1), evaluate(0, 2), evaluate(0, 0)];
}

describe('binary operators', () => {
  it('modulo has the sign of the divisor', () => {
    const { modulo } = evaluateBinary;
    expect([modulo(7, 3), modulo(-7, 3), modulo(7, -3), modulo(-7, -3), modulo(6, 3)]).toEqual([
      1, 2, -2, -1, 0,
    ]);
    expect(modulo(-1e-20, 1)).toBe(1); // the nearest float64 of 1 - 1e-20
  });

  it('comparisons and logic give 1 or 0', () => {
    expect(table('less')).toEqual([1, 0, 0, 1, 0]);
    expect(table('less_equal')).toEqual([1, 1, 0, 1, 1]);
    expect(table('greater')).toEqual([0, 0, 1, 0, 0]);
    expect(table('greater_equal')).toEqual([0, 1, 1, 0, 1]);
    expect(table('equal')).toEqual([0, 1, 0, 0, 1]);
    expect(table('not_equal')).toEqual([1, 0, 1, 1, 0]);
    expect(table('and')).toEqual([1, 1, 1, 0, 0]);
    expect(table('or')).toEqual([1, 1, 1, 1, 0]);
  });

  it('max and min pass on what is not a number', () => {
    expect([evaluateBinary.max(NaN, 1), evaluateBinary.min(1, NaN)]).toEqual([NaN, NaN]);
  });
});

describe('printed forms', () => {
  it('are all different', () => {
    const unary = Object.values(unaryOperators).map(({ text }) => text);
    const binary = Object.values(binaryOperators).map(({ text }) => text);
    expect(new Set(unary).size).toBe(unary.length);
    expect(new Set(binary).size).toBe(binary.length);
  });
});

describe('the range of an operator', () => {
  const samples = [-1e100, -1000, -2, -1, -0.5, 0, 0.5, 1, 2, 1000, 1e100];
  const holds = (range: string | undefined, values: readonly number[]): boolean =>
    values.every(range === 'truth' ? (value) => value === 0 || value === 1 : Number.isFinite);
  const unaries = Object.entries(evaluateUnary) as [UnaryOperator, (x: number) => number][];
  const binaries = Object.entries(evaluateBinary) as [BinaryOperator, (x: number, y: number) => number][];

  it.each(unaries)('%s', (operator, evaluate) => {
    const range = rangeOf(unary(operator, constant(1)));
    // tan has a pole that no number hits
    if (range === 'any') expect(operator === 'tan' || !holds('finite', samples.map(evaluate))).toBe(true);
    else expect(holds(range, samples.map(evaluate))).toBe(true);
  });

  it.each(binaries)('%s', (operator, evaluate) => {
    const range = rangeOf(binary(operator, constant(1), constant(1)));
    const values = samples.flatMap((x) => samples.map((y) => evaluate(x, y)));
    expect(holds(range === 'any' ? 'finite' : range, values)).toBe(range !== 'any');
  });
});
