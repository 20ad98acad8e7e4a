/** The table of a model. */
import { expect, it } from 'vitest';
import { summary } from '../../runtime/index.ts';
import { moduleOf, PLAIN, predictorOf } from './support.ts';

const SMALL = `model Small {
  input x[n, 4]
  input label[n]: 3
  h = x |> dense(5) |> batch_norm |> relu
  z = h |> dense(3)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
  train { optimizer: sgd(rate = 0.1), freeze: h_dense_W, batch: 8 }
}`;

it('has layers, shapes, parameters, operations and bytes', async () => {
  const predictor = (await predictorOf(SMALL, 'f32')).createPredictor();
  expect(`\n${summary(predictor)}\n`).toMatchInlineSnapshot(`
    "
    Small
    ---------------------------------------------------------------------------------------------
    layer  shape   parameters  flops  reads
    ---------------------------------------------------------------------------------------------
    x      [n, 4]                     input
    h      [n, 5]          35   80 n  h_dense_W, h_dense_b, h_batch_norm_gamma, h_batch_norm_beta
    z      [n, 3]          18   33 n  z_W, z_b
    p      [n, 3]               12 n
    ---------------------------------------------------------------------------------------------
    parameters: 53, 212 bytes
    states: 10 numbers
    flops for n rows: 125 n to predict
    inputs and intermediates: 48 n bytes for n rows, 384 for 8
    "
  `);
});

it('of a trainer has what is frozen, and the backward pass', async () => {
  const trainer = (await moduleOf(SMALL, 'f32')).createTrainer();
  const lines = summary(trainer, 32).split('\n');
  expect(lines.slice(-4)).toMatchInlineSnapshot(`
    [
      "parameters: 53, 20 of them frozen, 212 bytes",
      "states: 10 numbers",
      "flops for n rows: 125 n to predict, 138 n + 45 of a backward pass",
      "inputs and intermediates: 100 n + 88 bytes for n rows, 3,288 for 32",
    ]
  `);
});

it('calls layers as the model does, also where training has others of these names', async () => {
  const { description } = (await moduleOf(PLAIN)).createTrainer();
  expect(description.layers.map(({ name }) => name)).toEqual(['h', 'z', 'p']);
});
