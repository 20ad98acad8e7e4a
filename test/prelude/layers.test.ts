import { describe, expect, it } from 'vitest';
import { expectEmittedGradient, expectRightGradient, programOfLayer } from './support.ts';

const picture = 'param x[1, 5, 6, 4] ~ zeros';
const sequence = 'param x[2, 7, 4] ~ zeros';
const pair = 'param x[2, 3, 4] ~ zeros\nparam m[2, 5, 6] ~ zeros';
const masked = `${pair}\ninput mask[2, 5]: 1 .. 1`;
const begun = 'param x[2, 7, 4] ~ zeros\nparam h0[2, 3] ~ zeros';
const lengths = 'param x[2, 7, 4] ~ zeros\ninput count[2]: 1 .. 7\nmask = length_mask(count, 7)';
const tokens = 'input x[2, 5]: 7';

/** What is given, the call, and the shape of its result. */
const layers: readonly [around: string, call: string, shape: readonly number[]][] = [
  [picture, 'x |> conv2d(3, size = 3)', [1, 3, 4, 3]],
  // a stride that does not divide, padding at every edge
  [picture, 'x |> conv2d(3, size = 3, stride = 2, pad = 1)', [1, 3, 3, 3]],
  // the step is greater than the window: some places are never read
  [picture, 'x |> conv2d(2, size = 2, stride = 3)', [1, 2, 2, 2]],
  // the window reaches further than the picture
  [picture, 'x |> conv2d(2, size = 3, dilation = 3, pad = 3)', [1, 5, 6, 2]],
  // places with a common factor, and without
  [picture, 'x |> conv2d(2, size = 2, stride = 2, dilation = 2)', [1, 2, 2, 2]],
  [picture, 'x |> conv2d(2, size = 3, stride = 3, dilation = 2, pad = 2)', [1, 2, 2, 2]],
  [picture, 'x |> conv2d(6, size = 2, groups = 2)', [1, 4, 5, 6]],
  [picture, 'x |> conv2d(8, size = 3, groups = 4, stride = 2, pad = 1)', [1, 3, 3, 8]],
  [picture, 'x |> conv2d(2, size = 1, bias = false)', [1, 5, 6, 2]],
  ['param x[1, 1, 3, 1] ~ zeros', 'x |> conv2d(1, size = 3, pad = 1)', [1, 1, 3, 1]],
  [sequence, 'x |> conv1d(3, size = 3, stride = 2, pad = 1)', [2, 4, 3]],
  [sequence, 'x |> conv1d(4, size = 2, dilation = 4, groups = 2, causal = true)', [2, 7, 4]],
  [picture, 'x |> depthwise_conv2d(size = 3, pad = 1)', [1, 5, 6, 4]],
  [picture, 'x |> depthwise_conv2d(size = 2, stride = 2, multiplier = 3)', [1, 2, 3, 12]],
  [picture, 'x |> conv_transpose2d(3, size = 3)', [1, 7, 8, 3]],
  [picture, 'x |> conv_transpose2d(2, size = 3, stride = 2, pad = 1, more = 1)', [1, 10, 12, 2]],
  [picture, 'x |> conv_transpose2d(2, size = 2, stride = 3, dilation = 2)', [1, 15, 18, 2]],

  [picture, 'x |> max_pool2d(2)', [1, 2, 3, 4]],
  [picture, 'x |> max_pool2d(3, stride = 2, pad = 1)', [1, 3, 3, 4]],
  [picture, 'x |> max_pool2d(2, stride = 3)', [1, 2, 2, 4]],
  [sequence, 'x |> max_pool1d(3, stride = 2, pad = 1)', [2, 4, 4]],
  [picture, 'x |> avg_pool2d(2)', [1, 2, 3, 4]],
  [picture, 'x |> avg_pool2d(3, stride = 2, pad = 1)', [1, 3, 3, 4]],
  [picture, 'x |> avg_pool2d(3, stride = 2, pad = 1, count_pad = false)', [1, 3, 3, 4]],
  [sequence, 'x |> avg_pool1d(3, stride = 1, pad = 2, count_pad = false)', [2, 9, 4]],
  [picture, 'x |> global_avg_pool2d', [1, 4]],
  [picture, 'x |> global_max_pool2d', [1, 4]],
  [sequence, 'x |> global_avg_pool1d', [2, 4]],
  [sequence, 'x |> global_max_pool1d', [2, 4]],

  [sequence, 'x |> layer_norm', [2, 7, 4]],
  ['param x[4] ~ zeros', 'x |> layer_norm(bias = false)', [4]],
  [sequence, 'x |> rms_norm', [2, 7, 4]],
  [picture, 'x |> group_norm(2)', [1, 5, 6, 4]],
  [picture, 'x |> group_norm(1)', [1, 5, 6, 4]],
  [picture, 'x |> group_norm(4, eps = 0.1)', [1, 5, 6, 4]],
  [picture, 'x |> instance_norm', [1, 5, 6, 4]],
  [sequence, 'x |> group_norm(2)', [2, 7, 4]],
  [sequence, 'x |> instance_norm', [2, 7, 4]],
  [picture, 'x |> batch_norm', [1, 5, 6, 4]],
  ['param x[6, 4] ~ zeros', 'x |> batch_norm(momentum = 0.01, eps = 0.1)', [6, 4]],
  [sequence, 'x |> dropout(0.4)', [2, 7, 4]],

  [sequence, 'x |> lora_dense(5, rank = 2, alpha = 3)', [2, 7, 5]],
  [sequence, 'x |> lora_dense(3, rank = 1, alpha = 2, bias = false)', [2, 7, 3]],

  [tokens, 'x |> embedding(7, 3)', [2, 5, 3]],
  [tokens, 'x |> embedding(7, 3, padding = 2)', [2, 5, 3]],
  [sequence, 'x |> learned_positions', [2, 7, 4]],
  [sequence, 'x |> sinusoidal_positions', [2, 7, 4]],

  [
    'param q[2, 3, 6] ~ zeros\nparam k[2, 5, 6] ~ zeros\nparam v[2, 5, 3] ~ zeros',
    'attention(q, k, v)',
    [2, 3, 3],
  ],
  [sequence, 'attention(x, x, x, causal = true)', [2, 7, 4]],
  ['param x[5, 4] ~ zeros\ninput mask[5]: 1 .. 1', 'masked_attention(x, x, x, mask)', [5, 4]],
  [sequence, 'x |> multi_head_attention(2)', [2, 7, 4]],
  [sequence, 'x |> multi_head_attention(1, causal = true, bias = false)', [2, 7, 4]],
  [pair, 'x |> cross_attention(m, heads = 2)', [2, 3, 4]],
  [masked, 'x |> masked_cross_attention(m, mask, heads = 4)', [2, 3, 4]],
  [
    'param m[2, 5, 6] ~ zeros\ninput mask[2, 5]: 1 .. 1',
    'm |> masked_multi_head_attention(mask, heads = 3, causal = true)',
    [2, 5, 6],
  ],
  [sequence, 'x |> feed_forward', [2, 7, 4]],
  ['param x[2, 3, 4] ~ zeros', 'x |> transformer_block(2)', [2, 3, 4]],
  [pair, 'x |> decoder_block(m, heads = 2, hidden = 5)', [2, 3, 4]],

  [sequence, 'x |> simple_rnn(3)', [2, 7, 3]],
  [sequence, 'x |> gru(3)', [2, 7, 3]],
  [sequence, 'x |> lstm(3, forget = 1)', [2, 7, 3]],
  ['param x[5, 2] ~ zeros', 'x |> gru(3) |> lstm(2) |> last_step', [2]],
  [sequence, 'x |> bidirectional_simple_rnn(2)', [2, 7, 4]],
  [sequence, 'x |> bidirectional_gru(2) |> bidirectional_gru(2)', [2, 7, 4]],
  [sequence, 'x |> bidirectional_lstm(2)', [2, 7, 4]],
  [begun, 'x |> simple_rnn_from(h0)', [2, 7, 3]],
  [begun, 'x |> gru_from(h0)', [2, 7, 3]],
  [`${begun}\nparam c0[2, 3] ~ zeros`, 'x |> lstm_from(h0, c0, forget = 1)', [2, 7, 6]],
  [lengths, 'x |> masked_simple_rnn(mask, 3)', [2, 7, 3]],
  [lengths, 'x |> masked_gru(mask, 3)', [2, 7, 3]],
  [lengths, 'x |> masked_lstm(mask, 3, forget = 1)', [2, 7, 3]],
  [lengths, 'x |> masked_gru(mask, 3) |> masked_gru(mask, 2) |> last_step', [2, 2]],
  [lengths, 'x |> masked_bidirectional_simple_rnn(mask, 2)', [2, 7, 4]],
  [lengths, 'x |> masked_bidirectional_gru(mask, 2)', [2, 7, 4]],
  [lengths, 'x |> masked_bidirectional_lstm(mask, 2)', [2, 7, 4]],
  [lengths, 'x |> gru(3) |> last_valid(count)', [2, 3]],

  [picture, 'x |> flatten', [1, 120]],
  [sequence, 'x |> flatten', [2, 28]],
  ['param x[2, 3, 2, 1, 2, 2] ~ zeros', 'x |> flatten', [2, 24]],
  [picture, 'x |> upsample2d', [1, 10, 12, 4]],
  [sequence, 'x |> upsample1d(3)', [2, 21, 4]],
  [picture, 'x |> zero_pad2d(2)', [1, 9, 10, 4]],
  [picture, 'x |> edge_pad2d(6)', [1, 17, 18, 4]],
  [picture, 'x |> reflect_pad2d(2)', [1, 9, 10, 4]],
  [picture, 'x |> circular_pad2d(1)', [1, 7, 8, 4]],
  [sequence, 'x |> zero_pad1d(2)', [2, 11, 4]],
  [sequence, 'x |> edge_pad1d(8)', [2, 23, 4]],
  [sequence, 'x |> reflect_pad1d(6)', [2, 19, 4]],
  [sequence, 'x |> circular_pad1d(7)', [2, 21, 4]],
  ['param x[2, 3, 4] ~ zeros\nparam z[2, 3, 2] ~ zeros', 'concat(x, z)', [2, 3, 6]],
  [sequence, 'x |> highway', [2, 7, 4]],
  [sequence, 'x |> residual_dense(3)', [2, 7, 4]],
];

describe('layers of the library', () => {
  it.each(layers)('%s: %s', (around, call, shape) => {
    const made = programOfLayer(around, call);
    expect(made.shape).toEqual(shape);
    expectRightGradient(made.program);
  });
});

// Those whose statements are more than a plain window or product.
const emitted = layers.filter(([, call]) =>
  /stride|groups|causal|masked|norm\(|transformer|_from|reflect|edge|lora/.test(call),
);

describe('emitted code of layers', () => {
  it.each(emitted)('%s: %s', async (around, call) => {
    await expectEmittedGradient(around, call);
  });
});
