/** The greatest value of a window and its place: one pass over the window, with what two passes give. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { expectEmitted } from '../property/emit.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function pooled(window: number, stride: number, combine: 'max' | 'min'): Program {
  const size = 3 * stride + window;
  const text = `model M {
  input x[n, ${size}, ${size}, 3]
  param s[3] ~ zeros
  y[n, i, j, c] = x[n, i, j, c] * s[c]
  output p[n, i: 3, j: 4, c] = ${combine}[u: ${window}, v: ${window}](y[n, ${stride}*i + u, ${stride}*j + v, c])
  loss = sum[n, i, j, c](p[n, i, j, c]^2 * (i + 2*j + c))
}`;
  const { diagnostics, models } = analyse({ path: 'model.dsl', text });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const [model] = models;
  if (!model) throw new Error('no model');
  return model.program;
}

const namesOf = (program: Program, without: ReadonlySet<string>): string[] =>
  schedule(program, { dtype: 'f32', batch: 'n', without }).functions.map(({ name }) => name);

describe('a pooling', () => {
  it('finds value and place in one function, where the window is small', () => {
    const small = pooled(2, 2, 'max');
    expect(namesOf(small, new Set())).not.toContain('forward_p_argmax');
    expect(namesOf(small, new Set(['windows']))).toContain('forward_p_argmax');
    expect(namesOf(pooled(4, 2, 'max'), new Set())).toContain('forward_p_argmax');
  });

  it('is what the interpreter computes, ties and all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('max' as const, 'min' as const),
        fc.nat(1000),
        (window, stride, combine, seed) => {
          const program = pooled(window, stride, combine);
          const tensors = randomTensors(program, seed);
          const coarse = { ...tensors, x: tensors['x']!.map((value) => Math.round(2 * value)) };
          for (const compared of compareWithInterpreter(program, coarse, { n: 3 }))
            expect(worstDifference(compared), compared.name).toBeLessThan(1e-12);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('says where there is no number', () => {
    const program = pooled(2, 2, 'max');
    const tensors = randomTensors(program, 1);
    const spoilt = { ...tensors, x: tensors['x']!.map((value, place) => (place % 50 === 7 ? NaN : value)) };
    const results = compareWithInterpreter(program, spoilt, { n: 3 });
    const loss = results.find(({ name }) => name === 'loss');
    expect(loss?.got).toEqual([NaN]);
    const output = results.find(({ name }) => name === 'p');
    expect(output?.got.map(Number.isNaN)).toEqual(output?.expected.map(Number.isNaN));
  });

  it('is so in emitted code', () => {
    const program = pooled(2, 2, 'max');
    expectEmitted(program, randomTensors(program, 3));
  });
});
