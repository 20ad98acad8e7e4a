/** Contractions of every size, by blocks of every shape, along one index or two: what the interpreter computes. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBlock } from '../../compiler/schedule/blocks.ts';
import { choices } from '../../compiler/schedule/choices.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

/** The model with its gradient, as it is scheduled. */
function trainedProgram(text: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${text}\n}` });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const [model] = models;
  if (!model) throw new Error('no model');
  return model.program;
}

interface Drawn {
  readonly seed: number;
  readonly n: number;
  readonly without: ReadonlySet<string>;
}

function expectComputed(text: string, { seed, n, without }: Drawn): void {
  const program = trainedProgram(text);
  const tensors = randomTensors(program, seed, { n });
  for (const compared of compareWithInterpreter(program, tensors, { n }, { without }))
    expect(worstDifference(compared), `${compared.name} without ${[...without].join()}`).toBeLessThan(1e-11);
}

const drawn = (batch: number): fc.Arbitrary<Drawn> =>
  fc.record({
    seed: fc.nat(1000),
    n: fc.integer({ min: 1, max: batch }),
    without: fc.subarray(Object.keys(choices)).map((names) => new Set(names)),
  });
const upTo = (greatest: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: greatest });

const dense = (rows: number, terms: number): string => `
  input x[n, ${terms}]
  param W[${terms}, ${rows}] ~ zeros
  param b[${rows}] ~ zeros
  output y[n, j] = tanh(sum[i](x[n, i] * W[i, j]) + b[j])
  loss = mean[n, j](y[n, j]^2)`;

const convolution = fc
  .record({
    size: upTo(3),
    stride: upTo(2),
    dilation: upTo(2),
    pad: fc.nat(2),
    extent: fc.integer({ min: 6, max: 9 }),
    channels: fc.constantFrom(1, 2, 8),
    filters: fc.constantFrom(3, 8, 16),
  })
  .map(
    ({ extent, channels, filters, ...options }) => `
  input x[n, ${extent}, ${extent}, ${channels}]
  param S[${channels}] ~ zeros
  q[n, i, j, c] = x[n, i, j, c] * S[c]
  output y = q |> conv2d(${filters}, ${Object.entries(options)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')})
  loss = sum(y^2)`,
  );

describe('kernels', () => {
  it('compute products of matrices of any size', () => {
    fc.assert(
      fc.property(upTo(45), upTo(45), drawn(40), (rows, terms, how) => {
        expectComputed(dense(rows, terms), how);
      }),
      { numRuns: 40 },
    );
  });

  it('compute convolutions of any stride, dilation and border', () => {
    fc.assert(
      fc.property(convolution, drawn(4), (text, how) => {
        expectComputed(text, how);
      }),
      { numRuns: 25 },
    );
  });

  it('run along the lines of a picture', () => {
    const program = trainedProgram(`
      input x[n, 12, 12, 8]
      param K[5, 5, 8, 16] ~ zeros
      y[n, i: 8, j: 8, f] = sum[u, v, d](x[n, i + u, j + v, d] * K[u, v, d, f])
      loss = sum(y^2)`);
    const kernels = (without: ReadonlySet<string>): string[] =>
      schedule(program, { dtype: 'f32', batch: 'n', without }).functions.flatMap(({ name, computes }) =>
        computes.length === 0 && name.startsWith('contract_') ? name : [],
      );
    expect(kernels(new Set())).toEqual(['contract_lines_16x8']);
    expect(kernels(new Set(['lines'])).filter((name) => name.includes('lines'))).toEqual([]);
    expect(new Set(kernels(new Set(['blocks', 'lines'])))).toEqual(new Set(['contract_8x8']));
    expect(kernels(new Set(['kernels']))).toEqual([]);
  });
});

describe('blocks', () => {
  it('are not too large to be held', () => {
    for (let extent = 1; extent < 200; extent++) {
      const { rows, terms } = chooseBlock(extent, extent);
      expect(rows * terms).toBeLessThanOrEqual(160);
    }
  });

  it('hold the whole of what is small, and leave nothing over where that is easy', () => {
    const shape = (rows: number | undefined, terms: number | undefined): string => {
      const block = chooseBlock(rows, terms);
      return `${block.rows}x${block.terms}`;
    };
    expect(shape(256, 784)).toBe('16x8');
    expect(shape(undefined, undefined)).toBe('16x8');
    expect(shape(10, 128)).toBe('10x8');
    expect(shape(64, 10)).toBe('16x10');
    expect(shape(24, 25)).toBe('12x5');
    expect(shape(8, 5)).toBe('8x5');
  });
});
