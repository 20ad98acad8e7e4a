/** Textbook formulas become their stable forms, whatever they are spelled like and however they are named. */
import { describe, expect, test } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { validate } from '../../compiler/graph/validate.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { prepare } from '../../compiler/rewrite/index.ts';
import { stabilise } from '../../compiler/rewrite/stabilise.ts';
import { line, programOf } from './models.ts';

/** A model of one output t[n] over the input x[n]. */
const elementwise = (formula: string): Program => programOf(`  input x[n]\n  output t[n] = ${formula}`);

const rightSide = (text: string): string => text.slice(text.indexOf('=') + 2);

/** The formula after `prepare`. */
const prepared = (formula: string): string => rightSide(line(prepare(elementwise(formula)), 't'));

function valuesAt(program: Program, x: readonly number[]): number[] {
  return [...(interpret(program, { extents: { n: x.length }, tensors: { x } }).get('t') ?? [])];
}

const moderate = [-6, -2.5, -1, -0.25, 0, 0.125, 0.75, 1, 3, 6];
const large = [-800, -200, 200, 800];

/** formula -> what it becomes */
const forms: Readonly<Record<string, string>> = {
  'log(exp(x[n]))': 'x[n]',
  'log(1 + exp(x[n]))': 'softplus(x[n])',
  'log(exp(-x[n]) + 1)': 'softplus(-x[n])',
  'log1p(exp(x[n]))': 'softplus(x[n])',
  'max(x[n], 0) + log(1 + exp(-abs(x[n])))': 'softplus(x[n])',
  'max(0, x[n]) + log1p(exp(-abs(x[n])))': 'softplus(x[n])',
  'relu(x[n]) - 3 + log1p(exp(-abs(x[n])))': 'softplus(x[n]) - 3',
  '1 / (1 + exp(-x[n]))': 'sigmoid(x[n])',
  '3 / (exp(-x[n]) + 1)': '3 * sigmoid(x[n])',
  '1 / (1 + exp(x[n]))': 'sigmoid(-x[n])',
  'exp(x[n]) / (1 + exp(x[n]))': 'sigmoid(x[n])',
  'exp(-x[n]) / (1 + exp(-x[n]))^2': 'sigmoid(-x[n]) * sigmoid(x[n])',
  'exp(x[n]) / (exp(x[n]) + exp(2))': 'sigmoid(x[n] - 2)',
  '(exp(x[n]) - exp(-x[n])) / (exp(x[n]) + exp(-x[n]))': 'tanh(x[n])',
  'sinh(x[n]) / cosh(x[n])': 'tanh(x[n])',
  '(1 - exp(-2*x[n])) / (1 + exp(-2*x[n]))': 'tanh(x[n])',
  '2 / (1 + exp(-2*x[n])) - 1': 'tanh(x[n])',
  '0.5 * (1 + tanh(x[n] / 2))': 'sigmoid(x[n])',
  '(1 + tanh(x[n] / 2)) / 2': 'sigmoid(x[n])',
  '(tanh(x[n]) + 1) / 2': 'sigmoid(2 * x[n])',
  '0.5 * (1 - tanh(0.5 * x[n]))': 'sigmoid(-x[n])',
  '(1 - tanh(x[n])) / 2': 'sigmoid(-2 * x[n])',
  '0.5 + 0.5 * tanh(x[n])': 'sigmoid(2 * x[n])',
  '0.5 - 0.5 * tanh(x[n])': 'sigmoid(-2 * x[n])',
  'tanh(x[n]) / 2 + 0.5': 'sigmoid(2 * x[n])',
  '0.5 - tanh(x[n]) / 2': 'sigmoid(-2 * x[n])',
  'tanh(x[n] / 2) / 2 + 1 / 2': 'sigmoid(x[n])',
  '1 / 2 - tanh(x[n] / 2) / 2': 'sigmoid(-x[n])',
  '0.5 * x[n] * (1 + tanh(x[n]))': 'sigmoid(2 * x[n]) * x[n]',
  'log(0.5 * (1 + tanh(x[n] / 2)))': '-softplus(-x[n])',
  'log(1 - 0.5 * (1 + tanh(x[n] / 2)))': '-softplus(x[n])',
  'log(1 / (1 + exp(-x[n])))': '-softplus(-x[n])',
  'log(1 - 1 / (1 + exp(-x[n])))': '-softplus(x[n])',
  'log(1 - sigmoid(x[n]))': '-softplus(x[n])',
  'log(cosh(x[n]))': 'abs(x[n]) + softplus(-2 * abs(x[n])) - 0.6931471805599453',
  'log(1 - tanh(x[n])^2)': '2 * (0.6931471805599453 - x[n] - softplus(-2 * x[n]))',
  'log(exp(x[n]) + exp(2))': '2 + softplus(x[n] - 2)',
  'log(exp(x[n]) + exp(tanh(x[n])))':
    'tanh(x[n]) == -inf ? x[n] : x[n] > tanh(x[n]) ? x[n] + softplus(tanh(x[n]) - x[n]) : tanh(x[n]) + softplus(x[n] - tanh(x[n]))',
  'exp(3*x[n]) / exp(4*x[n])': 'exp(-x[n])',
  'exp(x[n]) - 1': 'expm1(x[n])',
  '1 - exp(x[n])': '-expm1(x[n])',
  'log((x[n] > 1) * sigmoid(x[n]) + (1 - (x[n] > 1)) * (1 - sigmoid(x[n])))':
    'x[n] > 1 ? -softplus(-x[n]) : -softplus(x[n])',
  'log(x[n] > 0 ? exp(x[n]) : sigmoid(x[n]))': 'x[n] > 0 ? x[n] : -softplus(-x[n])',
};

describe('a formula of one element', () => {
  for (const [formula, stable] of Object.entries(forms)) {
    test(`${formula}  is  ${stable}`, () => {
      const after = prepare(elementwise(formula));
      expect(rightSide(line(after, 't'))).toBe(stable);
      const plain = valuesAt(elementwise(formula), moderate);
      for (const [place, value] of valuesAt(after, moderate).entries()) {
        const wanted = plain[place] ?? NaN;
        expect(Math.abs(value - wanted)).toBeLessThan(1e-13 * (1 + Math.abs(wanted)) * Math.exp(6));
      }
    });
  }

  test('the stable forms are finite where the plain ones overflow', () => {
    const finite = Object.keys(forms).filter((formula) => !/ - 1$|^1 - |exp\(4/.test(formula));
    for (const formula of finite) {
      const values = valuesAt(prepare(elementwise(formula)), large);
      expect(values.every(Number.isFinite), `${formula}: ${values.join()}`).toBe(true);
    }
  });

  test('a half of 1 + tanh is a probability whose likelihood and gradient are exact far out', () => {
    const source = programOf(`
  input y[n]
  param z[4] ~ [-200, 200, -200, 200]
  a[k] = 0.5 * (1 + tanh(z[k] / 2))
  loss = -sum[n, k](y[n] * log(a[k]) + (1 - y[n]) * log(1 - a[k])) / 4`);
    const after = differentiate(prepare(source), new Diagnostics());
    const z = [-200, 200, -200, 200];
    const values = interpret(after, { extents: { n: 1 }, tensors: { y: [1], z } });
    expect(values.get('loss')?.[0]).toBeCloseTo(100, 12);
    const gradient = values.get(after.gradients.get('z') ?? '') ?? [];
    const wanted = [-0.25, 0, -0.25, 0];
    expect(gradient).toHaveLength(4);
    for (const [k, slope] of gradient.entries()) expect(slope).toBeCloseTo(wanted[k] ?? NaN, 12);
  });

  test('the probability of what was, of a bit, is exact far out; of another number it is left as it is', () => {
    const likelihood = (range: string): Program =>
      programOf(`
  input z[n]
  input y[n]${range}
  a[n] = sigmoid(z[n])
  output t[n] = log(y[n] * a[n] + (1 - y[n]) * (1 - a[n]))`);
    const after = prepare(likelihood(': 2'));
    const tensors = { z: [-800, 800, -800, 800], y: [0, 0, 1, 1] };
    const values = [...(interpret(after, { extents: { n: 4 }, tensors }).get('t') ?? [])];
    expect(values.map((value) => value + 0)).toEqual([0, -800, -800, 0]);
    for (const range of ['', ': 3', ': -1 .. 1'])
      expect(line(prepare(likelihood(range)), 't')).toMatch(/^(output )?t\[n\] = log\(/);
  });

  test('the logarithm of two exponentials is symmetric: no exponent, not even -inf, hides the other one', () => {
    const program = programOf(`
  input u[n]
  input v[n]
  output t[n] = log(exp(u[n]) + exp(v[n]))`);
    const none = -Infinity;
    const tensors = { u: [none, 1.5, none, -1e17, 800, 2], v: [1.5, none, none, 1.5, 700, 2] };
    const values = interpret(prepare(program), { extents: { n: 6 }, tensors }).get('t');
    expect([...(values ?? [])]).toEqual([1.5, 1.5, none, 1.5, 800, 2 + Math.log(2)]);
  });

  test('digits near zero are kept: log1p and expm1', () => {
    expect(prepared('log(1 + x[n])')).toBe('log1p(x[n])');
    expect(prepared('log(1 - x[n])')).toBe('log1p(-x[n])');
    expect(valuesAt(prepare(elementwise('log(1 + x[n])')), [1e-20])).toEqual([1e-20]);
    expect(valuesAt(prepare(elementwise('exp(x[n]) - 1')), [1e-20])).toEqual([1e-20]);
  });

  test('a clamp of the user stays', () => {
    expect(prepared('log(max(sigmoid(x[n]), 1e-7))')).toBe('log(max(sigmoid(x[n]), 1e-7))');
    expect(prepared('log(sigmoid(x[n]) + 1e-8)')).toBe('log(sigmoid(x[n]) + 1e-8)');
    expect(prepared('log(1 - sigmoid(x[n]) + 1e-8)')).toBe('log1p(1e-8 - sigmoid(x[n]))');
    expect(prepared('max(log(sigmoid(x[n])), -100)')).toBe('max(-softplus(-x[n]), -100)');
  });

  test('a root of squares is a norm, a root of anything else is none', () => {
    expect(prepared('sqrt(x[n]^2 + (x[n] - 1)^2)')).toBe('norm_sqrt(x[n]^2 + (x[n] - 1)^2)');
    expect(prepared('sqrt(x[n] * x[n] / 2)')).toBe('norm_sqrt(x[n] * x[n] / 2)');
    expect(prepared('sqrt(x[n]^2 + 1e-5)')).toBe('sqrt(x[n]^2 + 1e-5)');
    expect(prepared('sqrt(x[n]^2 - (x[n] - 1)^2)')).toBe('sqrt(x[n]^2 - (x[n] - 1)^2)');
  });

  test('names do not hide a formula', () => {
    const after = prepare(
      programOf(`
  input x[n]
  e[n] = exp(-x[n])
  d[n] = 1 + e[n]
  a[n] = 1 / d[n]
  b[n] = 1 - a[n]
  output t[n] = log(a[n]) - log(b[n])`),
    );
    expect(line(after, 't')).toBe('t[n] = softplus(x[n]) - softplus(-x[n])');
  });
});

const model = (statements: string): Program => prepare(programOf(`  input z[n, 4]\n${statements}`));

describe('softmax and its kin', () => {
  const softmax = 'p[n, k] = exp(z[n, k] - p_logsumexp[n])';

  test('exp(z) / sum(exp(z))', () => {
    const after = model('  output p[n, k] = exp(z[n, k]) / sum[k](exp(z[n, k]))');
    expect(line(after, 'p_logsumexp')).toBe('p_logsumexp[n] = logsumexp[k](z[n, k])');
    expect(line(after, 'p')).toBe(softmax);
  });

  test('in three statements', () => {
    const after = model(`
  e[n, k] = exp(z[n, k])
  s[n] = sum[k](e[n, k])
  output p[n, k] = e[n, k] / s[n]`);
    expect(line(after, 'p')).toBe('p[n, k] = exp(z[n, k] - s_logsumexp[n])');
    expect(after.tensors.has('e')).toBe(false);
  });

  test('with the maximum taken out by hand', () => {
    const after = model(`
  m[n] = max[k](z[n, k])
  e[n, k] = exp(z[n, k] - m[n])
  output p[n, k] = e[n, k] / sum[k](e[n, k])`);
    expect(line(after, 'p')).toBe(softmax);
    expect(after.tensors.has('m')).toBe(false);
  });

  test('log(sum(exp)) in all its spellings is one logsumexp', () => {
    const after = model(`
  m[n] = max[k](z[n, k])
  a[n] = log(sum[k](exp(z[n, k])))
  b[n] = m[n] + log(sum[k](exp(z[n, k] - m[n])))
  c[n] = logsumexp[k](z[n, k])
  output d[n] = a[n] * b[n] * c[n]
  output g[n] = log(mean[k](exp(z[n, k])))`);
    const sums = after.statements.filter(({ combine }) => combine === 'logsumexp');
    expect(sums.length).toBeLessThanOrEqual(2);
    expect(after.tensors.has('m')).toBe(false);
    expect(line(after, 'b')).toMatch(/^b\[n\] = \w*logsumexp\w*\[n\]$/);
    expect(line(after, 'g')).toMatch(/^g\[n\] = (c|\w*logsumexp\w*)\[n\] - 1\.3862943611198906$/);
  });

  test('log of a softmax by name', () => {
    const after = model('  p[n, k] = exp(z[n, k]) / sum[k](exp(z[n, k]))\n  output l[n, k] = log(p[n, k])');
    expect(line(after, 'l')).toBe('l[n, k] = z[n, k] - p_logsumexp[n]');
  });

  test('finite for any shift of the logits', () => {
    const after = model(`
  p[n, k] = exp(z[n, k]) / sum[k](exp(z[n, k]))
  output l[n, k] = log(p[n, k])`);
    expect(validate(after)).toEqual([]);
    const z = [1000, 999, -1000, 0, -2000, -2001, -2000, -2003];
    const values = [...(interpret(after, { extents: { n: 2 }, tensors: { z } }).get('l') ?? [])];
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values[0]).toBeCloseTo(-Math.log1p(Math.exp(-1)), 12);
  });
});

test('a Bernoulli likelihood of a sigmoid', () => {
  const likelihood = `
  input x[n]
  input y[n]
  a[n] = sigmoid(x[n])
  output t[n] = log(a[n]^y[n] * (1 - a[n])^(1 - y[n]))`;
  expect(line(prepare(programOf(likelihood)), 't')).toBe(
    't[n] = -((1 - y[n]) * softplus(x[n]) + y[n] * softplus(-x[n]))',
  );
});

test('what is stable already is left alone', () => {
  const program = programOf('  input x[n, 3]\n  output t[n] = logsumexp[k](tanh(x[n, k]))');
  expect(stabilise(program).statements).toEqual(program.statements);
});
