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

  it('is reported where the error has a name, is a product, or looks at the probability of the label', () => {
    const named = classifier('sum[k](e[n, k]^2)').replace('  loss', '  e[n, k] = p[n, k] - y[n, k]\n  loss');
    expect(codesOf(named)).toEqual(['W708']);
    expect(codesOf(named.replace('e[n, k]^2', 'e[n, k] * e[n, k]'))).toEqual(['W708']);
    expect(codesOf(named.replace('= p', '= z'))).toEqual([]);
    expect(codesOf(classifier('(p[n, label[n]] - 1)^2', 'label[n]: 3'))).toEqual(['W708']);
    expect(codesOf(classifier('(1 - p[n, label[n]])^2', 'label[n]: 3'))).toEqual(['W708']);
  });

  it('of a squashed value and a number, a penalty, is not reported', () => {
    const penalty = 'cross_entropy[k](z[n, k], label[n]) + sum[k]((s[n, k] - 1)^2)';
    expect(codesOf(classifier(penalty, 'label[n]: 3'))).toEqual([]);
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

  it('are reported where it is taken twice in so many words', () => {
    const softmax = classifier('-log(q[n, label[n]])', 'label[n]: 3');
    expect(codesOf(softmax.replace('  loss', '  q = p |> softmax\n  loss'))).toEqual(['W709']);
    const sigmoid = classifier('mean[k](binary_cross_entropy(q[n, k], y[n, k]))');
    expect(codesOf(sigmoid.replace('  loss', '  q = s |> sigmoid\n  loss'))).toEqual(['W709']);
    const piped = (loss: string) => `model Piped {
  input x[n, 8]
  input label[n]: 3
  input y[n]
  ${loss}
}`;
    const twice = 'p = x |> dense(3) |> softmax |> softmax\n  loss = -mean[n](log(p[n, label[n]]))';
    expect(codesOf(piped(twice)).filter((code) => code !== 'W701')).toEqual(['W709']);
    const sigmoids =
      'p = x |> dense(1) |> sigmoid |> sigmoid\n  loss = mean[n](binary_cross_entropy(p[n, 0], y[n]))';
    expect(codesOf(piped(sigmoids)).filter((code) => code !== 'W701')).toEqual(['W709']);
  });

  it('are not where they belong', () => {
    expect(codesOf(classifier('cross_entropy[k](z[n, k], label[n])', 'label[n]: 3'))).toEqual([]);
    expect(codesOf(classifier('-log(p[n, label[n]])', 'label[n]: 3'))).toEqual([]);
    expect(codesOf(classifier('mean[k](binary_cross_entropy(s[n, k], y[n, k]))'))).toEqual([]);
  });
});
