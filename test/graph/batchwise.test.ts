/** Which results depend on how rows are put into batches; and that those which are said not to do not. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';
import { batchwiseResults } from '../../compiler/graph/batchwise.ts';
import { modelOf } from '../model/helpers.ts';
import { loadModule } from '../support/load.ts';

const start = `
  input x[n, 4]
  input y[n]
  input k[n]: 3
  param w[4] ~ ones
  param table[3] ~ normal(0, 1)
  p[n] = sum[i](x[n, i] * w[i])
  loss = mean[n]((p[n] + table[k[n]] - y[n])^2)`;

function batchwise(statements: string): string[] {
  const { program, batch } = modelOf(`model M {${start}\n  ${statements}\n}`);
  return batchwiseResults(program, batch);
}

describe('the same in any batches is', () => {
  it.each([
    ['a mean over rows', 'metric v = mean[n]((p[n] - y[n])^2)'],
    ['one over rows and more', 'metric v = mean[n, i](x[n, i] * w[i] - y[n])'],
    ['a function of the parameters besides', 'metric v = mean[n](abs(p[n] - y[n])) + 1e-3 * sum(w^2)'],
    ['a fixed multiple of a mean', 'metric v = 100 * -mean[n](p[n]) / sum(w^2) - 3'],
    ['a sum over the number of rows', 'metric v = sum[n](p[n]) / extent(n)'],
    ['a difference of means', 'metric v = mean[n](p[n]) - mean[n](y[n])'],
    ['the number that is most likely right', 'metric v = mean[n](argmax[i](x[n, i] * w[i]) == k[n])'],
    ['what is read at an integer of the row', 'metric v = mean[n]((table[k[n]] - y[n])^2)'],
    [
      'a mean of columns, each a mean over rows',
      'm[i] = mean[n](x[n, i])\n  metric v = mean[i](w[i] * m[i])',
    ],
    ['what has no rows', 'metric v = sum(w^2)'],
    ['an output of one row', 'output q[n, i] = softmax[i](x[n, i] * w[i])\n  metric v = mean(q)'],
  ])('%s', (_, statements) => {
    expect(batchwise(statements)).toEqual([]);
  });
});

describe('different in other batches is', () => {
  it.each([
    ['a root of a mean', 'metric v = sqrt(mean[n]((p[n] - y[n])^2))'],
    ['a sum over rows', 'metric v = sum[n](p[n] - y[n])'],
    ['the greatest of the rows', 'metric v = max[n](p[n])'],
    ['a quotient of sums', 'metric v = sum[n](p[n] * y[n]) / sum[n](y[n])'],
    ['a product of means', 'metric v = mean[n](p[n]) * mean[n](y[n])'],
    ['a mean over rows of what looks at other rows', 'metric v = mean[n]((p[n] - mean[n](p[n]))^2)'],
    ['what depends on the number of rows', 'metric v = mean[n](p[n]) + sum(w^2) / extent(n)'],
    ['what depends on the place in the batch', 'metric v = mean[n](n * p[n])'],
    ['a mean over rows and a sum over rows', 'metric v = mean[n](p[n]) + sum[n](p[n])'],
  ])('%s', (_, statements) => {
    expect(batchwise(statements)).toEqual(['v']);
  });

  it('an output that looks at other rows', () => {
    const statements = `output c[n] = p[n] - mean[n](p[n])
  output d[n] = p[n] * 2
  metric v = mean[n](d[n])`;
    expect(batchwise(statements)).toEqual(['c']);
  });
});

it('without a batch nothing is', () => {
  expect(
    batchwiseResults(
      modelOf('model M {\n  param w[3] ~ ones\n  loss = sqrt(sum(w^2))\n}').program,
      undefined,
    ),
  ).toEqual([]);
});

// Claims are tried on emitted code: a pass over all rows gives what the average over uneven batches gives, or not.
const models: Readonly<Record<string, { readonly body: string; readonly batchwise: readonly string[] }>> = {
  'a network with batch norm and dropout, which are not at work in evaluation': {
    body: `
  input x[n, 4]
  input label[n]: 3
  z = x |> dense(6) |> batch_norm |> relu |> dropout(0.3) |> dense(3)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n])) + 1e-2 * sum(z_dense1_W^2)
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
  metric rmse = sqrt(mean[n]((p[n, 0] - 0.5)^2))
  train { optimizer: sgd(rate = 0.1) }`,
    batchwise: ['rmse'],
  },
  'a recurrence': {
    body: `
  input x[n, 5, 2]
  input y[n]
  h = x |> gru(3) |> last_step
  z = h |> dense(1)
  output q[n] = z[n, 0]
  loss = mean[n]((q[n] - y[n])^2)
  metric spread = max[n](q[n]) - min[n](q[n])
  train { optimizer: sgd(rate = 0.1) }`,
    batchwise: ['spread'],
  },
  'attention over embedded tokens': {
    body: `
  input tokens[n, 6]: 8
  input next[n, 6]: 8
  e = tokens |> embedding(count = 8, units = 4) |> learned_positions |> transformer_block(heads = 2)
  z = e |> dense(8)
  output p[n, t, k] = softmax[k](z[n, t, k])
  loss = mean[n, t](cross_entropy[k](z[n, t, k], next[n, t]))
  metric perplexity = exp(mean[n, t](cross_entropy[k](z[n, t, k], next[n, t])))
  train { optimizer: sgd(rate = 0.1) }`,
    batchwise: ['perplexity'],
  },
  convolutions: {
    body: `
  input x[n, 6, 6, 1]
  input y[n]
  h = x |> conv2d(filters = 2, size = 3, pad = 1) |> relu |> max_pool2d(2) |> flatten |> dense(1)
  output q[n] = h[n, 0]
  loss = mean[n](huber(q[n], y[n], delta = 1))
  metric total = sum[n](q[n])
  train { optimizer: sgd(rate = 0.1) }`,
    batchwise: ['total'],
  },
  'rows that are centred in their batch': {
    body: `
  input x[n, 3]
  param w[3] ~ ones
  output c[n, i] = w[i] * (x[n, i] - mean[n](x[n, i]))
  loss = mean(c^2)
  metric size = mean(x^2)
  train { optimizer: sgd(rate = 0.1) }`,
    batchwise: ['loss', 'c'],
  },
};

const ROWS = 7;

describe.each(Object.entries(models))('%s', (_, { body, batchwise }) => {
  it('says what depends on batches, and nothing else does', async () => {
    const text = `model M {${body}\n}`;
    const { modules } = await compile({ path: 'm.dsl', text }, { dtype: 'f64', format: false });
    const { description, createTrainer } = loadModule(modules[0]!.text);
    expect(description.batchwise).toEqual(batchwise);
    const data: Record<string, number[]> = {};
    for (const { name, shape, element, greatest = 0 } of description.inputs) {
      const length = shape.reduce((size, axis) => size * axis, ROWS);
      data[name] = Array.from({ length }, (_, i) =>
        element === 'integer' ? (i * 5 + 3) % (greatest + 1) : Math.sin(3 * i + 1) + (i % 4),
      );
    }
    const whole = createTrainer({ batch: ROWS });
    const parts = createTrainer({ batch: 3 });
    const found = { ...whole.evaluate(data), ...whole.predict(data) };
    const averaged = { ...parts.evaluate(data), ...parts.predict(data) };
    const differs = (name: string): boolean => {
      const [one, other] = [found[name]!, averaged[name]!].map((value) =>
        typeof value === 'number' ? [value] : [...value],
      );
      return one!.some((value, i) => Math.abs(value - other![i]!) > 1e-9);
    };
    expect(Object.keys(found).filter(differs)).toEqual(batchwise);
  });
});
