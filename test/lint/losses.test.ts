import { describe, expect, it } from 'vitest';
import { codesOf } from './support.ts';

const classifier = (loss: string, target = 'y[n, 3]'): string => `
model M {
  input x[n, 4]
  input ${target}
  z = x |> dense(3)
  output p[n, k] = softmax[k](z[n, k])
  output s[n, k] = sigmoid(z[n, k])
  loss = mean[n](${loss})
}`;

describe('a squared error', () => {
  it.each([
    'sum[k]((p[n, k] - y[n, k])^2)',
    'mean[k]((y[n, k] - p[n, k])^2)',
    'mean[k]((s[n, k] - y[n, k])^2)',
  ])('%s of a softmax or sigmoid is reported', (loss) => expect(codesOf(classifier(loss))).toEqual(['W708']));

  it('of scores is not', () => {
    expect(codesOf(classifier('mean[k]((z[n, k] - y[n, k])^2)'))).toEqual([]);
  });

  it('of what only lies between 0 and 1 is not', () => {
    expect(codesOf(classifier('mean[k]((exp(-z[n, k]^2) - y[n, k])^2)'))).toEqual([]);
    expect(codesOf(classifier('mean[k]((z[n, k] * s[n, k] - y[n, k])^2)'))).toEqual([]);
  });

  it('through the loss of the library is reported too', () => {
    expect(codesOf(classifier('mean[k](squared_error(p[n, k], y[n, k]))'))).toEqual(['W708']);
  });
});

describe('probabilities in the place of scores', () => {
  it('are reported: a softmax of a softmax, a sigmoid of a sigmoid', () => {
    expect(codesOf(classifier('cross_entropy[k](p[n, k], label[n])', 'label[n]: 3'))).toEqual(['W709']);
    expect(codesOf(classifier('mean[k](bce_logits(s[n, k], y[n, k]))'))).toEqual(['W709']);
  });

  it('are not where they belong', () => {
    expect(codesOf(classifier('cross_entropy[k](z[n, k], label[n])', 'label[n]: 3'))).toEqual([]);
    expect(codesOf(classifier('-log(p[n, label[n]])', 'label[n]: 3'))).toEqual([]);
    expect(codesOf(classifier('mean[k](binary_cross_entropy(s[n, k], y[n, k]))'))).toEqual([]);
  });
});
