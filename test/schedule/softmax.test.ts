/** The softmax of a row: each exponential once, and the same numbers whoever else reads its logsumexp. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse, compile } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { randomTensors } from '../property/programs.ts';
import { loadModule, loadPredictor } from '../support/load.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

function programOf(body: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${body}\n}` });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const [model] = models;
  if (!model) throw new Error('no model');
  return model.program;
}

const head = 'input x[n, 5]\ninput label[n]: 5\nparam v[5] ~ ones\nz[n, k] = x[n, k] * v[k]\n';
const learnt = `${head}loss = mean[n](cross_entropy[k](z[n, k], label[n]))\noutput p[n, k] = softmax[k](z[n, k])`;
const attention = `
  input x[n, 4, 6]
  param w[6, 6] ~ zeros
  score[n, i, j] = sum[c, d](x[n, i, c] * w[c, d] * x[n, j, d])
  a[n, i, j] = softmax[j](j <= i ? score[n, i, j] : -inf)
  output y[n, i, c] = sum[j](a[n, i, j] * x[n, j, c])
  loss = sum[n, i, c](y[n, i, c]^2)`;

/** What each list of steps computes with a softmax, and what else takes a logsumexp. */
function formsOf(body: string): Record<'forward' | 'predict', string[]> {
  const loops = schedule(programOf(body), { dtype: 'f64', batch: 'n' });
  const of = (steps: typeof loops.forward): string[] =>
    steps.flatMap(({ function: name }) => {
      const found = loops.functions.find((each) => each.name === name);
      const combines = found?.computes.map(({ combine }) => combine) ?? [];
      return combines.includes('logsumexp') ? [`${found?.decision?.form}: ${combines.join(', ')}`] : [];
    });
  return { forward: of(loops.forward), predict: of(loops.predict) };
}

describe('a softmax', () => {
  it('is computed with its logsumexp, which stands alone where nothing wants the softmax', () => {
    expect(formsOf(learnt).predict).toEqual(['softmax: logsumexp, assign']);
    const bare = `${head}loss = mean[n](cross_entropy[k](z[n, k], label[n]))\noutput q[n, k] = z[n, k]`;
    expect(formsOf(bare).forward).toEqual(['loops: logsumexp']);
    expect(formsOf(attention)).toEqual({
      forward: ['softmax: logsumexp, assign'],
      predict: ['softmax: logsumexp, assign'],
    });
  });

  it.each([
    ['rows of a loss and an output', learnt],
    ['causal attention', attention],
    [
      'over an axis in the middle',
      `${head}output p[n, k] = sum[j: 3](softmax[j](z[n, k] * j))\nloss = sum(p^2)`,
    ],
    [
      'of columns, with an entropy',
      `${head}p[n, k] = softmax[n](z[n, k])\noutput h[n, k] = -p[n, k] * log(p[n, k])\nloss = sum(h)`,
    ],
    [
      'of two axes',
      'input x[n, 3, 4]\nparam s ~ ones\noutput p[n, i, j] = exp(s * x[n, i, j] - logsumexp[k, l](s * x[n, k, l]))\nloss = sum(p^2)',
    ],
    ['of a whole vector', 'param v[7] ~ ones\np[k] = softmax[k](v[k])\nloss = sum[k](p[k] * k)'],
    ['as a factor', `${head}output q[n, k] = softmax[k](z[n, k]) * v[k]\nloss = sum(q^2)`],
    [
      'of which two multiples are wanted',
      `${head}output q[n, k] = 3 * softmax[k](z[n, k])\noutput r[n] = sum[k](k * softmax[k](z[n, k]))\nloss = sum(q^2) + sum(r)`,
    ],
  ])('%s: as the interpreter computes it, and so are the gradients', (_, body) => {
    const program = programOf(body);
    fc.assert(
      fc.property(fc.nat(1000), fc.constantFrom(1, 300), (seed, size) => {
        const tensors = randomTensors(program, seed);
        const large = Object.fromEntries(
          Object.entries(tensors).map(([name, values]) =>
            name === 'x' ? [name, values.map((value) => size * value)] : [name, values],
          ),
        );
        for (const without of [new Set<string>(), new Set(['softmax'])])
          for (const compared of compareWithInterpreter(program, large, { n: 3 }, { without }))
            expect(worstDifference(compared), compared.name).toBeLessThan(1e-11);
      }),
      { numRuns: 10 },
    );
  });

  it('of rows that are masked in part is 0 there; of a row that is masked wholly there is none', () => {
    const program = programOf(`
      input x[n, 5]
      input mask[n, 5]
      param s ~ ones
      output p[n, k] = softmax[k](mask[n, k] > 0 ? s * x[n, k] : -inf)
      loss = sum[n, k](p[n, k]^2)`);
    const x = Float64Array.from({ length: 15 }, (_, place) => Math.cos(place) * 50);
    const mask = Float64Array.from([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const results = compareWithInterpreter(program, { x, mask, s: [1] }, { n: 3 });
    const { got = [], expected = [] } = results.find(({ name }) => name === 'p') ?? {};
    expect(got.map(Number.isNaN)).toEqual(expected.map(Number.isNaN));
    expect(got.slice(5, 10)).toEqual([NaN, NaN, NaN, NaN, NaN]);
    expect([got[1], got[3], got[4], ...got.slice(10)]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
    expect((got[0] ?? 0) + (got[2] ?? 0)).toBeCloseTo(1, 15);
  });

  it('with an infinite or no number in its row has none, as in the interpreter', () => {
    const program = programOf(learnt);
    const { x: drawn, ...others } = randomTensors(program, 1);
    for (const odd of [Infinity, -Infinity, NaN]) {
      const x = drawn!.map((value, place) => (place === 7 ? odd : value));
      const results = compareWithInterpreter(program, { ...others, x }, { n: 3 });
      const { got = [], expected = [] } = results.find(({ name }) => name === 'p') ?? {};
      expect(got.map(Number.isNaN)).toEqual(expected.map(Number.isNaN));
      got.forEach((value, place) => {
        if (!Number.isNaN(value)) expect(value).toBeCloseTo(expected[place]!, 14);
      });
    }
  });

  it.each([
    ['the loss reads its logsumexp', learnt],
    [
      'the loss reads it',
      `${head}output p[n, k] = softmax[k](z[n, k])\nloss = -mean[n](log(p[n, label[n]]))`,
    ],
    [
      'a multiple of it',
      `${head}q[n, k] = softmax[k](z[n, k])\noutput p[n, k] = 0.3 * q[n, k]\nloss = sum(q^2) + sum(p)`,
    ],
    [
      'a product with a parameter',
      `${head}q[n, k] = softmax[k](z[n, k])\noutput p[n, k] = q[n, k] * v[k]\nloss = sum(p^2)`,
    ],
    ['attention', attention],
  ])('gives a predictor the bits of its trainer: %s', async (_, body) => {
    const source = { path: 'm.dsl', text: `model M {\n${body}\ntrain { optimizer: sgd(rate = 0.1) }\n}` };
    const [whole, parts] = await Promise.all(
      [false, true].map(
        async (inference) => (await compile(source, { format: false, inference, dtype: 'f64' })).modules,
      ),
    );
    const trainer = loadModule(whole![0]!.text).createTrainer({ batch: 3, seed: 5 });
    const predictor = loadPredictor(parts![0]!.text).createPredictor({ batch: 3, seed: 5 });
    predictor.copyWeights(trainer);
    const program = programOf(body);
    const data = { x: [...(randomTensors(program, 4, { n: 5 })['x'] ?? [])] };
    expect(predictor.predict(data)).toEqual(trainer.predict(data));
  });
});
