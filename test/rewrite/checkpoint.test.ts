/** `checkpoint`: the same gradient in less memory; drawn once, advanced once. */
import { describe, expect, it } from 'vitest';
import { analyse, compile } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { transformer } from '../support/deep.ts';
import { loadModule } from '../support/load.ts';

const without = (text: string): string => text.replaceAll('checkpoint ', '');

function programOf(text: string, left: readonly string[] = []): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text }, { without: new Set(left) });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const program = models[0]?.program;
  if (program === undefined) throw new Error('no model');
  expect(validate(program)).toEqual([]);
  return program;
}

const again = ({ statements }: Program): string[] =>
  statements.flatMap(({ target, checkpoint }) => (checkpoint?.again === true ? [target] : []));

/** Losses of three steps, and the weights, states and gradients after them. */
async function trained(
  text: string,
  inputs: Record<string, ArrayLike<number>>,
): Promise<Record<string, number[]>> {
  const { modules } = await compile({ path: 'model.dsl', text }, { dtype: 'f64', format: false });
  const trainer = loadModule(modules[0]!.text).createTrainer({ seed: 7, batch: 3 });
  const losses = [1, 2, 3].map(() => trainer.trainOnBatch(inputs).loss ?? NaN);
  const { loss } = trainer.gradientsOnBatch(inputs);
  const numbers = (arrays: object): [string, number[]][] =>
    Object.entries(arrays as Record<string, ArrayLike<number>>).map(([name, values]) => [
      name,
      Array.from(values),
    ]);
  return {
    losses: [...losses, loss ?? NaN],
    ...Object.fromEntries(numbers(trainer.getGradients()).map(([name, values]) => [`d${name}`, values])),
    ...Object.fromEntries(numbers(trainer.getWeights())),
  };
}

const spread = (length: number, of: (k: number) => number): number[] =>
  Array.from({ length }, (_, k) => of(k));
const x = spread(3 * 5 * 4, (k) => Math.sin(7 * k));
const label = [0, 2, 1];

const models: Readonly<Record<string, string>> = {
  'dropout and batch normalisation': `model M {
    input x[n, 20]
    input label[n]: 3
    checkpoint a = x |> dense(16) |> batch_norm |> relu |> dropout(0.4)
    checkpoint b = a |> dense(12) |> batch_norm |> tanh |> dropout(0.2)
    z = b |> dense(3)
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    train { optimizer: adam(rate = 1e-2) }
  }`,
  'a recurrence inside': `model M {
    input x[n, 5, 4]
    input label[n]: 3
    checkpoint h = x |> lstm(6) |> layer_norm
    checkpoint g = h |> gru(5)
    z = g |> flatten |> dense(3)
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    train { optimizer: adam(rate = 1e-2) }
  }`,
  'pooling, which keeps places': `model M {
    input x[n, 5, 4]
    input label[n]: 3
    p[n, i, j, c: 1] = x[n, i, j]
    checkpoint h = p |> conv2d(4, size = 2) |> max_pool2d(2) |> flatten |> dense(7) |> relu
    z = h |> dense(3)
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    train { optimizer: adam(rate = 1e-2) }
  }`,
  'in a layer, and one inside of another': `
  layer twice(x[.., i]) -> y[.., i] {
    checkpoint a = x |> dense(2 * i) |> gelu |> dense(i)
    b = x + a
    checkpoint c = b |> layer_norm |> dense(i) |> tanh
    y = b + c
  }
  model M {
    input x[n, 20]
    input label[n]: 3
    h = x |> twice
    checkpoint g = h |> twice
    z = g |> dense(3)
    loss = mean[n](cross_entropy[k](z[n, k], label[n]))
    train { optimizer: adam(rate = 1e-2) }
  }`,
};

describe('a block that is computed again', () => {
  it.each(Object.entries(models))('%s: trains to the same numbers', async (_, text) => {
    expect(again(programOf(text)).length).toBeGreaterThan(2);
    const [got, expected] = [await trained(text, { x, label }), await trained(without(text), { x, label })];
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      expect(got[name]).toHaveLength(values.length);
      for (const [place, value] of values.entries())
        expect(Math.abs((got[name]?.[place] ?? NaN) - value), `${name} ${place}`).toBeLessThanOrEqual(
          1e-12 * Math.max(1, Math.abs(value)),
        );
    }
  });

  it('draws nothing again, and advances no state twice', () => {
    const program = programOf(models['dropout and batch normalisation']!);
    const plain = programOf(without(models['dropout and batch normalisation']!));
    const roles = ({ tensors }: Program, role: string) =>
      [...tensors.values()].filter((each) => each.role === role).map(({ name }) => name);
    expect(roles(program, 'random')).toEqual(roles(plain, 'random'));
    expect(again(program).some((target) => target.includes("'"))).toBe(false);
    const { draws } = schedule(program, { dtype: 'f32', batch: 'n' });
    expect(draws.forward).toHaveLength(2);
  });

  it('is not computed again where the pass is left out', () => {
    for (const text of Object.values(models)) expect(again(programOf(text, ['checkpoint']))).toEqual([]);
  });

  it('predicts and evaluates as without', () => {
    const text = models['a recurrence inside']!;
    const loops = (of: string) => schedule(programOf(of), { dtype: 'f32', batch: 'n' });
    expect(loops(text).predict).toEqual(loops(without(text)).predict);
  });

  it('is computed right before the backward pass of the block', () => {
    const { statements } = programOf(models['dropout and batch normalisation']!);
    const backward = statements.filter(({ phase }) => phase === 'backward').map(({ target }) => target);
    const [first, last] = [
      backward.findIndex((t) => /^a_.*_again/.test(t)),
      backward.findIndex((t) => /^b_.*_again/.test(t)),
    ];
    expect(last).toBeGreaterThanOrEqual(0);
    expect(first).toBeGreaterThan(backward.indexOf('db_dense_W'));
  });
});

describe('a transformer of 16 blocks', { timeout: 60_000 }, () => {
  const plain = transformer({ blocks: 16, width: 8, heads: 2, steps: 6, words: 11 });
  const marked = plain.replace(/^ {2}(h[1-9]\d* = )/gm, '  checkpoint $1');
  let made: Promise<readonly string[]> | undefined;
  const texts = (): Promise<readonly string[]> =>
    (made ??= Promise.all(
      [plain, marked].map(async (text) => {
        const { modules } = await compile({ path: 'model.dsl', text }, { dtype: 'f64', format: false });
        return modules[0]?.text ?? '';
      }),
    ));

  it('trains in under a quarter of the memory', async () => {
    const [kept = NaN, less = NaN] = (await texts()).map((text) => {
      const [constant = 0, row = 0] = loadModule(text).description.work.bytes;
      return constant + 8 * row;
    });
    expect(less).toBeLessThan(kept / 4);
  });

  it('has the same gradient, bit for bit', async () => {
    const tokens = spread(3 * 6, (k) => (5 * k) % 11);
    const next = spread(3 * 6, (k) => (3 * k + 1) % 11);
    const [expected, got] = (await texts()).map((text) => {
      const trainer = loadModule(text).createTrainer({ seed: 3, batch: 3 });
      trainer.gradientsOnBatch({ tokens, next });
      return trainer.getGradients();
    });
    expect(Object.keys(expected ?? {}).length).toBeGreaterThan(16 * 8);
    expect(got).toEqual(expected);
  });

  it('has hardly more functions: what is computed again is called once more', async () => {
    const [kept = NaN, again = NaN] = (await texts()).map((text) => text.match(/^export function/gm)?.length);
    expect(again).toBeLessThanOrEqual(kept + 4);
  });
});
