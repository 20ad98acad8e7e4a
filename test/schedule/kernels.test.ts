/** Contractions of every size, by blocks of every shape, along one index or two: what the interpreter computes. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksFor, chooseBlock } from '../../compiler/schedule/blocks.ts';
import { choices } from '../../compiler/schedule/choices.ts';
import { FunctionList } from '../../compiler/schedule/function-list.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { kernelName } from '../../compiler/schedule/kernels.ts';
import type { KernelShape } from '../../compiler/schedule/kernels.ts';
import { runSteps } from '../../compiler/schedule/run.ts';
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

/** Two layers, so that kernels are shared by contractions of other sizes. */
const dense = (inputs: number, hidden: number, outputs: number): string => `
  input x[n, ${inputs}]
  param W[${inputs}, ${hidden}] ~ zeros
  param b[${hidden}] ~ zeros
  param V[${hidden}, ${outputs}] ~ zeros
  h[n, j] = tanh(sum[i](x[n, i] * W[i, j]) + b[j])
  output y[n, k] = sum[j](h[n, j] * V[j, k])
  loss = mean[n, k](y[n, k]^2)`;

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

/** Σ_p a[i, p] · b[p, l, j] by a kernel made for all these callers; b and c lie as their indices say. */
function expectProducts(shape: KernelShape, callers: readonly Caller[]): void {
  const blocks = callers.flatMap(({ m, k, known }) =>
    blocksFor(shape, known ? m : undefined, known ? k : undefined),
  );
  const list = new FunctionList();
  for (const each of blocks) list.addKernel({ shape, blocks: [each] });
  for (const { m, n, k } of callers) {
    const lines = shape.lines ? 2 : 1;
    const a = Float64Array.from({ length: m * k }, (_, i) => Math.sin(i));
    const b = Float64Array.from({ length: k * lines * n }, (_, i) => Math.cos(i));
    const c = new Float64Array(m * lines * n);
    const inLines = (stride: number): number[] => (shape.lines ? [stride] : []);
    const strides = [k, 1, lines * n, 1, ...inLines(n), lines * n, 1, ...inLines(n)];
    const step = {
      function: kernelName(shape),
      buffers: ['a', 'b', 'c'],
      integers: [m, n, k, ...inLines(lines), ...strides, 0, 0, 0],
    };
    runSteps([step], list.all, new Map(Object.entries({ a, b, c })), {});
    for (let i = 0; i < m; i++)
      for (let j = 0; j < lines * n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[p * lines * n + j]!;
        expect(c[i * lines * n + j]).toBeCloseTo(sum, 10);
      }
  }
}

interface Caller {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether m and k are known to the compiler. */
  readonly known: boolean;
}

describe('kernels', () => {
  it('take of each caller what is left over of its blocks', () => {
    const caller = fc.record({ m: upTo(40), n: upTo(3), k: upTo(30), known: fc.boolean() });
    fc.assert(
      fc.property(
        upTo(16),
        upTo(10),
        fc.boolean(),
        fc.array(caller, { minLength: 1, maxLength: 4 }),
        (rows, terms, lines, callers) => {
          expectProducts({ rows, terms, lines }, callers);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('compute products of matrices of any size', () => {
    fc.assert(
      fc.property(upTo(45), upTo(30), upTo(30), drawn(40), (inputs, hidden, outputs, how) => {
        expectComputed(dense(inputs, hidden, outputs), how);
      }),
      { numRuns: 25 },
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

  it('hold fewer rows where rows of the target fall on the same lines of the cache', () => {
    expect(chooseBlock(undefined, 128, true)).toMatchObject({ rows: 8, terms: 8 });
    expect(chooseBlock(undefined, 128)).toMatchObject({ rows: 16, terms: 8 });
    expect(chooseBlock(5, 128, true)).toMatchObject({ rows: 5, terms: 8 });
    const program = trainedProgram(`
      input x[n, 8, 128]
      h = x |> gru(128)
      loss = sum[n, o](h[n, 7, o]^2)`);
    const { functions } = schedule(program, { dtype: 'f32', batch: 'n' });
    expect(functions.map(({ name }) => name)).toContain('contract_8x8');
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
