/** Indices that are only taken apart again run as their digits: no division in a loop, and a product is a contraction. */
import { describe, expect, it } from 'vitest';
import { isAffine } from '../../compiler/graph/expressions.ts';
import { analyse } from '../../compiler/index.ts';
import { isContraction } from '../../compiler/schedule/contraction.ts';
import { makeNest } from '../../compiler/schedule/nest.ts';
import type { Nest } from '../../compiler/schedule/nest.ts';
import { indicesIn } from '../../compiler/graph/expressions.ts';
import { programOf } from '../model/helpers.ts';
import { expectEmitted } from '../property/emit.ts';
import { randomTensors } from '../property/programs.ts';

/** The nest of the statement that defines y. */
function nestOf(body: string): Nest {
  const { statements, tensors } = programOf(body);
  const statement = statements.find(({ target }) => target === 'y');
  if (statement === undefined) throw new Error('nothing defines y');
  return makeNest(statement, tensors);
}

const loopsOf = ({ loops }: Nest): string[] => loops.map(({ name, extent }) => `${name}: ${extent}`);

const isAllAffine = ({ write, body }: Nest): boolean => [...write, ...indicesIn(body)].every(isAffine);

describe('an index that is taken apart', () => {
  it.each([
    ['y[n, i: 12] = x[n, i / 3, mod(i, 3)]', 'n, 4, 3', 'n: n, i: 4, i2: 3'],
    ['y[n, i: 24] = x[n, i / 12, mod(i / 4, 3), mod(i, 4)]', 'n, 2, 3, 4', 'n: n, i: 2, i2: 3, i3: 4'],
    ['y[n, i: 8] = x[n, i / 2]', 'n, 4', 'n: n, i: 4, i2: 2'],
    ['y[n, i: 12] = x[n, mod(i, 4)]', 'n, 4', 'n: n, i: 3, i2: 4'],
    ['y[n, i: 12] = x[n, i / 3] + x[n, i]', 'n, 12', 'n: n, i: 4, i2: 3'],
    ['y[n] = sum[i: 12](x[n, i / 3, mod(i, 3)])', 'n, 4, 3', 'n: n, i: 4, i2: 3'],
    ['y[n, i: 9] = x[n, i / 3 - 1] else 0', 'n, 2', 'n: n, i: 3, i2: 3'],
  ])('runs as its digits: %s', (statement, shape, loops) => {
    const nest = nestOf(`input x[${shape}]\noutput ${statement}`);
    expect(loopsOf(nest).join(', ')).toBe(loops);
    expect(isAllAffine(nest)).toBe(true);
  });

  it.each([
    ['is a number as well', 'y[n, i: 12] = x[n, i / 3] * i', 'n, 4'],
    ['has to be kept from a border', 'y[n, i: 12] = x[n, i / 3] + (x[n, i - 1] else 0)', 'n, 12'],
    ['has a last digit that is cut off', 'y[n, i: 11] = x[n, i / 3]', 'n, 4'],
    ['is cut at weights that do not divide each other', 'y[n, i: 12] = x[n, i / 3] + x[n, i / 4]', 'n, 4'],
    ['is divided together with another', 'y[n, i: 6, j: 2] = x[n, (i + j) / 2]', 'n, 4'],
    ['is shifted first', 'y[n, i: 6] = x[n, (i + 1) / 2]', 'n, 4'],
  ])('stays whole where it %s: %s', (_, statement, shape) => {
    const nest = nestOf(`input x[${shape}]\noutput ${statement}`);
    expect(loopsOf(nest)).not.toContain('i2: 3');
    expect(loopsOf(nest)).toContain(/i: (\d+)/.exec(statement)?.[0]);
  });

  it('stays whole where it counts the steps of a recurrence', () => {
    const program = programOf(
      'input x[n, 3]\nscan t { y[n, t: 6] = (y[n, t - 1] else 0) + x[n, t / 2] }\noutput y',
    );
    const [statement] = program.statements;
    expect(statement && makeNest(statement, program.tensors).step?.extent).toBe(6);
  });
});

describe('what is computed over digits', () => {
  const computes = (body: string): void => {
    const program = programOf(body);
    expectEmitted(program, randomTensors(program, 5));
  };

  it('is a contraction for each group of a convolution, and for its gradients', () => {
    const body = `
      input x[n, 6, 6, 8]
      param K[3, 3, 4, 16] ~ zeros
      y[n, i: 4, j: 4, f] = sum[u, v, d: 4](x[n, i + u, j + v, 4*(f / 8) + d] * K[u, v, d, f])
      loss = sum(y^2)`;
    const { statements, tensors } = programOf(body);
    const statement = statements.find(({ target }) => target === 'y');
    expect(statement && isContraction(statement, tensors)).toBe(true);
    computes(body);
  });

  it('is one also where residues are what a channel is read at: backwards through groups and strides', () => {
    const text = `model G {
      input x[n, 14, 14, 32]
      a = x |> conv2d(64, 3, pad = 1, groups = 4)
      y = a |> conv2d(64, 3, stride = 2, pad = 1, groups = 4)
      loss = sum(y^2)
    }`;
    const [model] = analyse({ path: 'G.dsl', text }).models;
    const { statements = [], tensors = new Map() } = model?.program ?? {};
    const products = statements.filter(({ target }) => ['y', 'da', 'da_K', 'dy_K'].includes(target));
    expect(products).toHaveLength(4);
    expect(products.filter((each) => !isContraction(each, tensors))).toEqual([]);
  });

  it('is what the statement says, with a gradient', () => {
    computes(`
      input x[n, 2, 3, 4]
      param w[24] ~ zeros
      y[n, i: 24] = x[n, i / 12, mod(i / 4, 3), mod(i, 4)] * w[i]
      loss = sum[n, i](sin(y[n, i]))`);
    computes(`
      input x[n, 5, 6]
      y = x |> group_norm(groups = 3) |> dense(8)
      z[n, t, k: 16] = y[n, t, k / 2]
      loss = mean(z^2)`);
    computes('input x[n, 6, 6, 4]\ny = x |> conv2d(6, 3, stride = 2, pad = 1, groups = 2)\nloss = mean(y^2)');
    computes(
      'input x[n, 4, 4, 3]\ny = x |> upsample2d |> conv2d(2, 3) |> flatten |> dense(3)\nloss = mean(y^2)',
    );
    computes('input x[n, 5, 8]\ny = x |> multi_head_attention(2, causal = true)\nloss = mean(y^2)');
  });

  it('is so with an epilogue over the axes as they are', () => {
    computes(`
      input x[n, 6, 8]
      param w[8] ~ zeros
      param b[6] ~ zeros
      y[n, f: 6] = relu(sum[t](x[n, t, 4*(f / 3)] * w[f]) + b[f])
      loss = sum(y)`);
  });

  it('is so for scatters and greatest places', () => {
    computes('input x[n, 6]\ny[n, i / 2: 3] max= x[n, i] for n, i\nloss = sum(y)');
    computes('input x[n, 2, 3]\ny[n] = argmax[i: 6](x[n, i / 3, mod(i, 3)])\nloss = sum(y)');
  });
});
