import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { relation } from '../../compiler/schedule/lifetimes.ts';
import { layOut } from '../../compiler/schedule/layout.ts';
import { memoryOf } from '../../compiler/schedule/memory.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { evaluateSize } from '../../compiler/schedule/integers.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function programOf(text: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${text}\n}` });
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  const [model] = models;
  if (!model) throw new Error('no model');
  return model.program;
}

const models = {
  dense: `
    input x[n, 21]
    param W[21, 19] ~ zeros
    param b[19] ~ zeros
    param V[19, 3] ~ zeros
    input label[n]: 3
    h[n, j] = relu(sum[i](x[n, i] * W[i, j]) + b[j])
    output z[n, k] = sum[j](h[n, j] * V[j, k])
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])`,
  convolution: `
    input x[n, 8, 8, 2]
    param K[3, 3, 2, 5] ~ zeros
    param b[5] ~ zeros
    output y[n, i: 8, j: 8, f] = tanh(sum[u, v, c]((x[n, i + u - 1, j + v - 1, c] else 0) * K[u, v, c, f]) + b[f])
    p[n, i, j, f] = max[u: 2, v: 2](y[n, 2*i + u, 2*j + v, f])
    loss = sum[n, i, j, f](p[n, i, j, f] ^ 2)`,
  strided: `
    input x[n, 4, 4, 3]
    param E[4, 4, 3] ~ zeros
    param K[3, 3, 3, 4] ~ zeros
    q[n, i, j, c] = x[n, i, j, c] * E[i, j, c]
    output y[n, i: 2, j: 2, f] = sum[u, v, c]((q[n, 2*i + u - 1, 2*j + v - 1, c] else 0) * K[u, v, c, f])
    loss = sum[n, i, j, f](sin(y[n, i, j, f]))`,
  attention: `
    input x[n, 6, 8]
    param Q[8, 2, 5] ~ zeros
    param K[8, 2, 5] ~ zeros
    q[n, t, h, d] = sum[e](x[n, t, e] * Q[e, h, d])
    k[n, t, h, d] = sum[e](x[n, t, e] * K[e, h, d])
    s[n, h, t, r] = sum[d](q[n, t, h, d] * k[n, r, h, d]) / sqrt(5)
    output a[n, h, t, r] = softmax[r](s[n, h, t, r])
    loss = sum[n, h, t, r](a[n, h, t, r] * sin(r + h))`,
  embedding: `
    input tokens[n, 6]: 7
    param E[7, 5] ~ zeros
    output e[n, t, d] = E[tokens[n, t], d]
    loss = mean[n, t, d](e[n, t, d] ^ 3)`,
  pairs: `
    input x[n, 12]
    param W[12, 10] ~ zeros
    output z[n, j] = sum[i](x[n, i] * W[i, j])
    s[n, m] = sum[j](z[n, j] * z[m, j])
    loss = mean[n, m](exp(-s[n, m] ^ 2))`,
  'an epilogue inside residue loops': `
    input x[n, 4]
    param w[3] ~ zeros
    t[i: 4, j: 3] = w[2*i + j] else 0
    s[i, j] = t[i, j] * (w[j] * t[i, j]) + t[i, j]
    output z[n, j] = sum[i](x[n, i] * s[i, j])
    loss = mean[n, j](sin(z[n, j]))`,
  'an epilogue after residue loops of one turn': `
    input x[n, 2]
    input k: 2
    param w[2] ~ zeros
    param v ~ zeros
    t[i: 1, j: 1] = sum[u: 1](v * w[2*j] + (v + w[k]))
    loss = sin(t[0, 0]) * mean[n, i](x[n, i])`,
  'axes of one element, read outside': `
    input x[n, 1]
    param w[1, 1] ~ zeros
    t[i: 1, j: 1] = w[-j, 3*i - 1] else 0
    output z[n, k] = x[n, k] * w[0, 0]
    loss = mean[n, k](z[n, k] ^ 2) + sum[i, j](cos(t[i, j] + w[i, j]))`,
  'values per row': `
    input x[n, 3, 4]
    input label[n]: 4
    param W[4, 4] ~ zeros
    s[n, t, r] = sum[d, e](x[n, t, d] * W[d, e] * x[n, r, e])
    a[n, t, r] = softmax[r](s[n, t, r])
    z[n, d] = sum[t, r](a[n, t, r] * x[n, r, d])
    output p[n, d] = softmax[d](z[n, d])
    loss = mean[n](cross_entropy[d](z[n, d], label[n]))
    metric accuracy = mean[n](argmax[d](z[n, d]) == label[n])`,
};

describe.each(Object.entries(models))('%s', (_, text) => {
  it.each([1, 9])('computes what the interpreter computes, for a batch of %i', (n) => {
    const program = programOf(text);
    const extents = { n };
    for (const compared of compareWithInterpreter(program, randomTensors(program, 1, extents), extents)) {
      expect(compared.expected.length).toBeGreaterThan(0);
      expect(worstDifference(compared), compared.name).toBeLessThan(1e-12);
    }
  });

  it('never gives one place to two tensors that are alive together', () => {
    const program = programOf(text);
    const loops = schedule(program, { dtype: 'f64', batch: 'n' });
    const { timelines, aliases } = layOut(program, undefined, 'n');
    const extents = new Map([['n', 5]]);
    const buffers = [...loops.buffers.values()].filter((buffer) => buffer.role === 'intermediate');
    for (const a of buffers) {
      for (const b of buffers) {
        const [left, right] = [program.tensors.get(a.tensor), program.tensors.get(b.tensor)];
        const isSame = (aliases.get(a.tensor) ?? a.tensor) === (aliases.get(b.tensor) ?? b.tensor);
        if (isSame || a.pool !== b.pool || !left || !right) continue;
        if (a.pool !== 'gradients' && relation(left, right, timelines) !== 'apart') continue;
        const [from, other] = [evaluateSize(a.offset, extents), evaluateSize(b.offset, extents)];
        const apart =
          from + evaluateSize(a.size, extents) <= other || other + evaluateSize(b.size, extents) <= from;
        expect(apart, `${a.tensor} and ${b.tensor}`).toBe(true);
      }
    }
    // What grows with the batch and what does not may be most at different times: of so little that is much.
    const { bytes, least } = memoryOf(loops, 5);
    expect(bytes).toBeLessThanOrEqual(Math.max(1.3 * least, least + 128));
  });
});

describe('the schedule', () => {
  const loops = schedule(programOf(models.dense), { dtype: 'f32', batch: 'n' });

  it('names functions after what they compute', () => {
    expect(loops.forward.map((step) => step.function)).toContain('forward_h');
    expect(loops.backward.map((step) => step.function)).toContain('gradient_W');
  });

  it('predicts with nothing but what the outputs need', () => {
    expect(loops.predict.map((step) => step.function)).toEqual(['forward_h', 'forward_z']);
  });

  it('lets gradients lie as their parameters do', () => {
    for (const [parameter, gradient] of [
      ['W', 'dW'],
      ['b', 'db'],
      ['V', 'dV'],
    ] as const) {
      expect(loops.buffers.get(gradient)?.offset).toEqual(loops.buffers.get(parameter)?.offset);
      expect(loops.buffers.get(gradient)?.pool).toBe('gradients');
    }
  });

  it('computes no remainder of a residue where the residue is it', () => {
    const strided = (stride: number): string => {
      const program = programOf(`
        input x[n, 13]
        param w[3] ~ normal(0, 1)
        a[n, i] = relu(x[n, i])
        d[n, i] = a[n, i] * x[n, i] * w[0]
        y[n, i] = sum[u](d[n, ${stride} * i + u] * w[u])
        loss = mean[n, i](y[n, i]^2)`);
      return JSON.stringify(schedule(program, { dtype: 'f64', batch: 'n' }).functions);
    };
    for (const stride of [2, 3]) {
      expect(strided(stride)).toContain('_residue');
      expect(strided(stride)).not.toContain('modulo');
    }
  });

  it('emits a kernel once, and only where one is used', () => {
    const names = loops.functions.map((each) => each.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name.startsWith('contract_'))).not.toHaveLength(0);
    const small = schedule(programOf(models.embedding), { dtype: 'f32', batch: 'n' });
    expect(small.functions.some((each) => each.computes.length === 0)).toBe(false);
  });

  it('keeps a value per row that one statement reads out of memory', () => {
    const rows = schedule(programOf(models['values per row']), { dtype: 'f32', batch: 'n' });
    const accuracy = rows.functions.find((each) => each.name === 'forward_accuracy');
    expect(accuracy?.computes.map(({ target }) => target)).toEqual(['z_argmax', 'accuracy']);
    expect(rows.buffers.has('z_argmax')).toBe(false);
  });

  it('is the same each time', () => {
    expect(schedule(programOf(models.dense), { dtype: 'f32', batch: 'n' })).toEqual(loops);
  });
});
