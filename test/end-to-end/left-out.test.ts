/**
 * Every pass and every choice of the schedule can be left out by its name: something changes, the results do not. A name that is
 * added needs a model below in which it matters.
 */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyse, compile, switchable, type Source } from '../../compiler/index.ts';
import { loadCases } from '../oracle/cases.ts';
import { checkCase } from '../oracle/check.ts';
import { loadModule } from '../support/load.ts';

/** By name; the inputs are those that the models declare. */
const models: Readonly<Record<string, string>> = {
  dense: `
  input x[n, 24]
  input label[n]: 10
  checkpoint g = x |> dense(20) |> layer_norm |> gelu
  h = g |> dense(20) |> relu
  output p[n, k] = softmax[k](dense(h, 10)[n, k])
  loss = -mean[n](log(p[n, label[n]]))
  metric accuracy = mean[n](argmax[k](p[n, k]) == label[n])
  train { optimizer: adam(rate = 1e-2) }`,
  textbook: `
  input x[n, 3]
  input y[n, 2]
  param U[3, 4] ~ glorot_uniform
  param V[4, 5] ~ glorot_uniform
  param W[5, 2] ~ glorot_uniform
  unused[n] = sum[i](x[n, i])
  z[n, k] = sum[h, j, i](x[n, i] * U[i, h] * V[h, j] * W[j, k])
  output a[n, k] = sigmoid(z[n, k])
  rows[n] = sum[k](y[n, k] * log(a[n, k]) + (1 - y[n, k]) * log(1 - a[n, k]))
  loss = -sum[n](rows[n]) / 8
  train { optimizer: sgd(rate = 0.5) }`,
  pictures: `
  input x[n, 8, 8, 2]
  input label[n]: 3
  a = x |> conv2d(filters = 6, size = 3, pad = 1) |> batch_norm |> relu |> max_pool2d(2)
  z = a |> flatten |> dense(3)
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
  train { optimizer: momentum(rate = 1e-2) }`,
  sequences: `
  input tokens[n, 6]: 11
  input y[n, 4]
  a = tokens |> embedding(11, 8) |> gru(8)
  output z = a |> transformer_block(2) |> dense(4)
  loss = mean[n, t, o]((z[n, t, o] - y[n, o])^2)
  train { optimizer: momentum(rate = 1e-2), clip_norm: 1 }`,
};

const rows = 8;
type Results = ReadonlyMap<string, readonly number[]>;

const sourceOf = (name: string): Source => ({
  path: 'model.dsl',
  text: `model Tested {${models[name]}\n}\n`,
});

const textOf = async (name: string, dtype: 'f32' | 'f64', without: readonly string[]): Promise<string> => {
  const { diagnostics, modules } = await compile(sourceOf(name), {
    dtype,
    format: false,
    without: new Set(without),
  });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ message }) => message)).toEqual([]);
  return modules[0]?.text ?? '';
};

/** How many statements the program has after all passes: what is dead never becomes code. */
const statementsOf = (name: string, without: readonly string[]): number =>
  analyse(sourceOf(name), { without: new Set(without) }).models[0]?.program.statements.length ?? 0;

/** Losses, gradients and outputs of the first step, and the weights after three. */
function resultsOf(text: string): Results {
  const trainer = loadModule(text).createTrainer({ seed: 3, batch: rows });
  const { inputs } = trainer.description;
  const data = Object.fromEntries(
    inputs.map(({ name, shape, element, greatest = 0 }) => {
      const length = rows * shape.reduce((all, each) => all * each, 1);
      const value = (place: number): number =>
        element === 'integer'
          ? (place * 7) % (greatest + 1)
          : name === 'y'
            ? place % 2
            : Math.sin(1 + place * place);
      return [name, Array.from({ length }, (_, place) => value(place))];
    }),
  );
  const results = new Map<string, number[]>();
  const keep = (kind: string, values: Readonly<Record<string, ArrayLike<number>>>): void => {
    for (const [name, each] of Object.entries(values)) results.set(`${kind} ${name}`, Array.from(each));
  };
  const first = trainer.gradientsOnBatch(data);
  keep('result', Object.fromEntries(Object.entries(first).map(([name, value]) => [name, [value]])));
  keep('gradient of', trainer.getGradients());
  keep('output', trainer.predict(data));
  for (let step = 0; step < 3; step++) trainer.trainOnBatch(data);
  keep('weight', trainer.getWeights());
  return results;
}

/** The greatest difference, relative to the greatest value of its tensor (or to 1), and where. */
function difference(expected: Results, found: Results): { readonly most: number; readonly where: string } {
  expect([...found.keys()]).toEqual([...expected.keys()]);
  let [most, where] = [0, ''];
  for (const [name, values] of expected) {
    const other = found.get(name) ?? [];
    expect(other.length, name).toBe(values.length);
    const scale = values.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 1);
    values.forEach((value, place) => {
      const off = Math.abs(value - (other[place] ?? NaN)) / scale;
      if (!(off <= most)) [most, where] = [Number.isNaN(off) ? Infinity : off, `${name}[${place}]`];
    });
  }
  return { most, where };
}

/** Without what the header says of how the module was made. */
const codeOf = (text: string): string => text.replace(/^ \* Do not edit: .*$/m, '');

const tolerances = { f64: 1e-12, f32: 1e-5 } as const;
const types = ['f64', 'f32'] as const;

describe('left out by name', () => {
  const whole = new Map<string, { readonly text: string; readonly results: Results }>();
  const cases = loadCases(fileURLToPath(new URL('../oracle', import.meta.url))).filter(({ name }) =>
    [
      'dense_rank3_relu',
      'conv2d_float32',
      'conv2d_stride2_pad1',
      'maxpool2d_floor_drops_edge',
      'batchnorm_2d_train',
      'layernorm_float32',
      'gru_last',
      'mhsa_causal_float32',
      'embedding_mean_pool',
      'matmul_chain_float32',
      'mlp_clip_norm_sgd',
    ].includes(name),
  );

  beforeAll(async () => {
    expect(cases.length).toBe(11);
    for (const name of Object.keys(models)) {
      for (const dtype of types) {
        const text = await textOf(name, dtype, []);
        whole.set(`${name} ${dtype}`, { text, results: resultsOf(text) });
      }
    }
  });

  it.each(switchable)('%s changes a program, and no result', async (left) => {
    let changed = 0;
    for (const name of Object.keys(models)) {
      for (const dtype of types) {
        const { text, results } = whole.get(`${name} ${dtype}`)!;
        const other = await textOf(name, dtype, [left]);
        if (codeOf(other) === codeOf(text)) {
          if (dtype === 'f64' && statementsOf(name, [left]) !== statementsOf(name, [])) changed++;
          continue;
        }
        changed++;
        const { most, where } = difference(results, resultsOf(other));
        expect(most, `${name}, ${dtype}: ${where}`).toBeLessThanOrEqual(tolerances[dtype]);
      }
    }
    expect(changed, `no model in which '${left}' matters`).toBeGreaterThan(0);
  });

  it.each(switchable)('reference cases without %s', async (left) => {
    for (const of of cases)
      expect(await checkCase(of, { without: new Set([left]) }), of.name).toEqual({ kind: 'passed' });
  });

  it('all of it changes no result', async () => {
    for (const [key, { results }] of whole) {
      const [name = '', dtype] = key.split(' ') as [string, 'f32' | 'f64'];
      const { most, where } = difference(results, resultsOf(await textOf(name, dtype, switchable)));
      expect(most, `${key}: ${where}`).toBeLessThanOrEqual(tolerances[dtype]);
    }
  });
});
