/** Kept for the backward pass or computed again: the rules, their reasons, the same gradient. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { keepings } from '../../compiler/rewrite/recompute.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { memoryOf } from '../../compiler/schedule/memory.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from '../schedule/support.ts';

function programOf(body: string, left: readonly string[] = []): Program {
  const { diagnostics, models } = analyse(
    { path: 'model.dsl', text: `model M {\n${body}\n}` },
    { without: new Set(left) },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const program = models[0]?.program;
  if (program === undefined) throw new Error('no model');
  expect(validate(program)).toEqual([]);
  return program;
}

const again = ({ statements }: Program): string[] =>
  statements.flatMap(({ checkpoint }) => (checkpoint?.again === true ? [checkpoint.block] : []));

/** Two products around what is to be decided; `h` is read by both passes. */
const around = (statement: string): string => `
  input x[n, 400]
  param V[400, 400] ~ glorot_uniform
  param W[400, 300] ~ glorot_uniform
  a[n, j] = tanh(sum[i](x[n, i] * V[i, j]))
  ${statement}
  z[n, k] = sum[j](h[n, j] * W[j, k])
  loss = mean[n, k](z[n, k]^2) + mean[n, j](a[n, j]^4)`;

const decision = (body: string, tensor = 'h') =>
  keepings(programOf(body, ['recompute'])).find((each) => each.tensor === tensor);

describe('what the backward pass reads', () => {
  it.each([
    ['is computed again where that is cheap', 'h[n, j] = a[n, j] * abs(a[n, 399 - j])', 'again'],
    ['is kept where an exponential and more is in it', 'h[n, j] = exp(a[n, j]) + a[n, 399 - j]', 'dear'],
    ['is kept if it is a reduction', 'h[n, j] = max[u: 2](a[n, j] * sin(u + 1))', 'reduction'],
  ])('%s', (_, statement, rule) => {
    expect(decision(around(statement))).toMatchObject({ rule, keeps: rule !== 'again' });
  });

  it('is kept if it is small', () => {
    const body = around('h[n, j] = a[n, j] * abs(a[n, 399 - j])')
      .replaceAll(/400|300/g, '40')
      .replace('399', '39');
    expect(decision(body)).toMatchObject({ rule: 'small', keeps: true });
  });

  it('has a reason for each tensor', () => {
    const found = keepings(programOf(around('h[n, j] = a[n, j] * abs(a[n, 399 - j])'), ['recompute']));
    expect(found.map(({ tensor }) => tensor)).toEqual(expect.arrayContaining(['a', 'h']));
    for (const { why } of found) expect(why).not.toBe('');
  });
});

describe('computed again', () => {
  const body = `
    input x[n, 2000]
    param V[2000, 40] ~ glorot_uniform
    param W[300, 3] ~ glorot_uniform
    a[n, j: 300] = tanh(sum[i: 40](x[n, i + 3 * j] * V[i + 3 * j, i]))
    b[n, j] = a[n, j] * abs(a[n, 299 - j])
    c[n, j] = b[n, j] + b[n, 299 - j] * a[n, j]
    z[n, k] = sum[j](c[n, j] * W[j, k])
    loss = mean[n, k](sin(z[n, k])) + mean[n, j](b[n, j]^2 * c[n, j])`;

  it('has the same loss and gradients', () => {
    const [program, plain] = [programOf(body), programOf(body, ['recompute'])];
    expect(again(program).length).toBeGreaterThan(0);
    expect(again(plain)).toEqual([]);
    const extents = { n: 3 };
    for (const compared of compareWithInterpreter(program, randomTensors(program, 1, extents), extents))
      expect(worstDifference(compared), compared.name).toBeLessThan(1e-12);
  });

  it('takes less memory', () => {
    const text = `
      input x[n, 16, 16, 4]
      a = x |> conv2d(8, size = 3, pad = 1) |> batch_norm |> relu
      b = a |> conv2d(8, size = 3, pad = 1) |> batch_norm |> relu
      c = b |> conv2d(8, size = 3, pad = 1) |> batch_norm |> relu
      loss = mean(c^2)`;
    const bytes = (left: readonly string[]): number =>
      memoryOf(schedule(programOf(text, left), { dtype: 'f32', batch: 'n' }), 16).bytes;
    expect(bytes([])).toBeLessThan(0.9 * bytes(['recompute']));
  });
});
