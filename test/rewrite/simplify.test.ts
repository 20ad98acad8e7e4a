/** Algebra that may be relied on, and algebra that must not happen. */
import { describe, expect, test } from 'vitest';
import { constant, multiply, read, subtract, zero } from '../../compiler/graph/expressions.ts';
import type { Expression, Program } from '../../compiler/graph/types.ts';
import { cotangentForms, simplify, simplerForms } from '../../compiler/rewrite/simplify.ts';
import { stableForms } from '../../compiler/rewrite/stabilise.ts';
import { line, lines, programOf } from './models.ts';

const model = (formula: string): Program =>
  programOf(`
  input x[n]
  input y[n]
  input w[n]
  input label[n]: 10
  output t[n] = ${formula}`);

const rightSide = (text: string): string => text.slice(text.indexOf('=') + 2);
const simplified = (formula: string): string => rightSide(line(simplify(model(formula)), 't'));

/** The same formula as a cotangent would have it: only there are products of sums multiplied out. */
function asCotangent(formula: string): string {
  const program = model(formula);
  const statements = program.statements.map((statement) => ({ ...statement, phase: 'backward' as const }));
  return rightSide(line(simplify({ ...program, statements }), 't'));
}

describe('scalar algebra', () => {
  const expected: Readonly<Record<string, string>> = {
    'x[n] + 0': 'x[n]',
    'x[n] * 1': 'x[n]',
    '-(-x[n])': 'x[n]',
    'x[n] - (-y[n])': 'x[n] + y[n]',
    '-x[n] + y[n]': 'y[n] - x[n]',
    '(-x[n]) * y[n]': '-x[n] * y[n]',
    '-((x[n] - y[n]) / 3)': '(y[n] - x[n]) / 3',
    '-x[n] - y[n]': '-(x[n] + y[n])',
    'x[n] / 3': 'x[n] / 3',
    '2 * x[n] / 4': 'x[n] / 2',
    '2 * (3 * x[n])': '6 * x[n]',
    'x[n] + x[n] + x[n]': '3 * x[n]',
    'x[n]^1': 'x[n]',
    'x[n]^0.5': 'x[n]^0.5',
    '(-x[n])^2': 'x[n]^2',
    'x[n] * y[n] + x[n] * w[n]': 'x[n] * (y[n] + w[n])',
    'max(x[n], x[n])': 'x[n]',
    'max(0, x[n])': 'relu(x[n])',
    'tanh(-x[n])': '-tanh(x[n])',
    'abs(-x[n])': 'abs(x[n])',
    'x[n] * (sqrt(2) * sqrt(2))': 'x[n] * 2.0000000000000004',
    'x[n] > 0 ? y[n] : y[n]': 'y[n]',
    'x[n] > 0 ? (x[n] > 0 ? y[n] : w[n]) : 3': 'x[n] > 0 ? y[n] : 3',
    'x[n] > 0 ? 1 : 0': 'x[n] > 0',
    'not (not (x[n] > 0))': 'x[n] > 0',
    'not (x[n] > 0) ? y[n] : w[n]': 'x[n] > 0 ? w[n] : y[n]',
    '(x[n] > 0 ? y[n] : 0) + (x[n] > 0 ? w[n] : 0)': 'x[n] > 0 ? y[n] + w[n] : 0',
    '(x[n] > 0 ? y[n] : 0) - (x[n] > 0 ? w[n] : 0)': 'x[n] > 0 ? y[n] - w[n] : 0',
    '(x[n] > 0 ? y[n] : 0) + (x[n] < 0 ? w[n] : 0)': '(x[n] > 0 ? y[n] : 0) + (x[n] < 0 ? w[n] : 0)',
    'label[n] < 10 ? x[n] : y[n]': 'x[n]',
    'label[n] == 10 ? x[n] : y[n]': 'y[n]',
  };
  for (const [formula, simpler] of Object.entries(expected)) {
    test(`${formula}  is  ${simpler}`, () => expect(simplified(formula)).toBe(simpler));
  }
});

describe('nothing that may be infinite or no number vanishes', () => {
  const kept = ['x[n] - x[n]', 'x[n] / x[n]', 'x[n] + y[n] - x[n]', '(x[n]^2)^0.5', 'exp(log(x[n]))'];
  for (const formula of kept) test(`${formula} stays`, () => expect(simplified(formula)).toBe(formula));

  const product = (factor: Expression): Expression => {
    const program = model('x[n]');
    const [statement] = program.statements;
    if (statement === undefined) throw new Error('the model has a statement');
    const body = multiply(zero, factor);
    return simplify({ ...program, statements: [{ ...statement, body }] }).statements[0]?.body ?? zero;
  };
  const place = model('x[n]').statements[0]?.body;

  test('0 * x is 0 only where x is provably finite', () => {
    if (place?.kind !== 'read') throw new Error('the body is a read');
    expect(product(place).kind).not.toBe('constant');
    expect(product(read('label', place.at))).toEqual(constant(0));
    expect(product(subtract(constant(3), read('label', place.at)))).toEqual(constant(0));
  });
});

describe('products of sums', () => {
  test('are multiplied out in a cotangent if that saves two operations', () => {
    expect(asCotangent('y[n] * (x[n] - 1) + (1 - y[n]) * x[n]')).toBe('x[n] - y[n]');
    expect(asCotangent('(1 - y[n]) * sigmoid(x[n]) - y[n] * sigmoid(-x[n])')).toBe('sigmoid(x[n]) - y[n]');
  });

  test('are never multiplied out for one operation, nor in a forward formula', () => {
    expect(asCotangent('(1 - x[n]) * (1 + x[n])')).toBe('(1 - x[n]) * (1 + x[n])');
    expect(asCotangent('(x[n] - y[n])^2')).toBe('(x[n] - y[n])^2');
    const forward = 'y[n] * softplus(-x[n]) + (1 - y[n]) * softplus(x[n])';
    expect(simplified(forward)).toBe(forward);
  });
});

describe('factors of a choice', () => {
  test('stay outside of a forward formula: 0 * y[n] is NaN where y[n] is', () => {
    const forward = '(x[n] > 0 ? w[n] : 0) * y[n] + (x[n] > 0 ? y[n] : 0)';
    expect(simplified(forward)).toBe(forward);
  });

  test('go in where choices of a cotangent join', () => {
    expect(asCotangent('(x[n] > 0 ? w[n] : 0) * y[n] + (x[n] > 0 ? 3 : 0)')).toBe(
      'x[n] > 0 ? w[n] * y[n] + 3 : 0',
    );
    expect(asCotangent('(x[n] > 0 ? w[n] : 0) * y[n] - (x[n] > 0 ? w[n] : 0) * x[n]')).toBe(
      'x[n] > 0 ? w[n] * (y[n] - x[n]) : 0',
    );
    expect(asCotangent('(x[n] > 0 ? w[n] : 0) / 4')).toBe('x[n] > 0 ? w[n] / 4 : 0');
    expect(asCotangent('(x[n] > 0 ? w[n] : 0) * y[n]')).toBe('(x[n] > 0 ? w[n] : 0) * y[n]');
  });
});

const sum = (formula: string, before = ''): string[] =>
  lines(
    simplify(
      programOf(`
dim classes = 4
input z[n, classes]
input y[n]
input label[n]: classes
input wide[n]: 5${before}
output t[n] = ${formula}`),
    ),
  );

describe('sums', () => {
  test('that pick one term are that term', () => {
    expect(sum('sum[k: 4]((k == label[n]) * y[n])')[0]).toBe('t[n] = y[n]');
    expect(sum('sum[k](k == label[n] ? z[n, k] : 0)')[0]).toBe('t[n] = z[n, label[n]]');
  });

  test('that may pick none stay', () => {
    expect(sum('sum[k: 4]((k == wide[n]) * y[n])')[0]).toContain('sum[k: 4]');
    expect(sum('sum[k](k == wide[n] ? z[n, k] : 0)')[0]).toContain('sum[k]');
  });

  test('over an unused index are counted', () => {
    expect(sum('sum[k: 4](y[n])')[0]).toBe('t[n] = 4 * y[n]');
    expect(sum('max[k: 4](y[n])')[0]).toBe('t[n] = y[n]');
  });
});

test('every rule has a law that can be read, and no rule stands twice', () => {
  const laws = [...simplerForms, ...cotangentForms, ...stableForms].map(({ law }) => law);
  expect(new Set(laws).size).toBe(laws.length);
  for (const { from, to } of simplerForms) expect(from).not.toEqual(to);
});
