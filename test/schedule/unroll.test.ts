/** Tiny models as one loop over rows, in which every element is a constant. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import type { LoopProgram, LoopStatement } from '../../compiler/schedule/types.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function programOf(text: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${text}\n}` });
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  return models[0]!.program;
}

const loopsOf = (text: string): LoopProgram => schedule(programOf(text), { dtype: 'f64', batch: 'n' });

const models = {
  'a network': `
    input x[n, 2]
    input y[n, 1]
    param W[2, 3] ~ zeros
    param b[3] ~ zeros
    param V[3, 1] ~ zeros
    h[n, j] = sigmoid(sum[i](x[n, i] * W[i, j]) + b[j])
    output a[n, k] = sigmoid(sum[j](h[n, j] * V[j, k]))
    loss = -mean[n, k](y[n, k] * log(a[n, k]) + (1 - y[n, k]) * log(1 - a[n, k]))
    metric accuracy = mean[n, k]((a[n, k] > 0.5) == y[n, k])`,
  'a penalty before and after the rows': `
    input x[n, 3]
    param W[3] ~ zeros
    s = 1 + sum[i](W[i]^2)
    output y[n] = sum[i](x[n, i] * W[i])
    m = mean[n](y[n]^2)
    loss = m + 0.1 * s`,
  'neighbours, with edges': `
    input x[n, 5]
    param K[3] ~ zeros
    output y[n, i: 5] = tanh(sum[u]((x[n, i + u - 1] else 0) * K[u]))
    metric largest = mean[n](max[i](y[n, i]) * min[i](y[n, i]) + prod[i](1 + y[n, i]))
    loss = sum[n, i](y[n, i]^2)`,
  'places as numbers': `
    input x[n, 4]
    param w[4] ~ zeros
    loss = mean[n, i](i > 1 ? sin(i * x[n, i] * w[i]) : x[n, i] + w[i] / (i + 1))`,
  'no batch': `
    param A[3, 3] ~ zeros
    output B[i, j] = sum[k](A[i, k] * A[k, j])
    loss = sum[i](B[i, i])`,
};

/** How deep loops stand in one another. */
const depthOf = (body: readonly LoopStatement[]): number =>
  Math.max(0, ...body.map((each) => (each.kind === 'for' ? 1 + depthOf(each.body) : 0)));

describe.each(Object.entries(models))('%s', (_, text) => {
  it('has one function for each list of steps, with no loop but that over rows', () => {
    const { forward, backward, predict, functions } = loopsOf(text);
    for (const list of [forward, backward, predict]) expect(list.length).toBeLessThanOrEqual(1);
    for (const { body, decision } of functions) {
      expect(depthOf(body)).toBeLessThanOrEqual(1);
      expect(decision?.form).toBe('unroll');
    }
  });

  it.each([1, 4])('computes what the interpreter computes, for a batch of %i', (n) => {
    const program = programOf(text);
    for (const seed of [1, 2]) {
      const compared = compareWithInterpreter(program, randomTensors(program, seed, { n }), { n });
      expect(compared.length).toBeGreaterThan(1);
      for (const each of compared) expect(worstDifference(each), each.name).toBeLessThan(1e-13);
    }
  });
});

describe('what keeps its loops', () => {
  const isUnrolled = (text: string): boolean =>
    loopsOf(text).functions.some(({ decision }) => decision?.form === 'unroll');

  it.each([
    [
      'large layers',
      'input x[n, 20]\nparam W[20, 20] ~ zeros\nloss = mean[n, j](sum[i](x[n, i] * W[i, j])^2)',
    ],
    ['a read at data', 'input t[n]: 5\nparam E[5] ~ zeros\nloss = mean[n](E[t[n]])'],
    ['the largest of the batch', 'input x[n]\nparam w ~ 1\nloss = max[n](x[n] * w)'],
    [
      'rows that need a mean over rows',
      'input x[n]\nparam w ~ 1\nm = mean[n](x[n])\nloss = mean[n]((w * x[n] - m)^2)',
    ],
    [
      'a recurrence',
      'input x[n, 4]\nparam w ~ 1\nscan t { h[n, t] = (h[n, t - 1] else 0) * w + x[n, t] }\nloss = mean[n, t](h[n, t])',
    ],
  ])('%s', (_, text) => expect(isUnrolled(text)).toBe(false));

  it('all, where it is left out', () => {
    const { functions } = schedule(programOf(models['a network']), {
      dtype: 'f64',
      batch: 'n',
      without: new Set(['unroll']),
    });
    expect(functions.length).toBeGreaterThan(5);
  });
});

it('an exponential and a logarithm serve softplus(z) and softplus(-z)', () => {
  const text = JSON.stringify(loopsOf(models['a network']).functions.map(({ body }) => body));
  expect(text.match(/"operator":"softplus"/g)).toHaveLength(1);
});
