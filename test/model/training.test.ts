import { describe, expect, it } from 'vitest';
import { matches } from '../../compiler/model/training/groups.ts';
import { reportsOf, trainingOf } from './training-support.ts';

/** Code and message of what is reported. */
const reports = (train: string, definitions = ''): string[] =>
  reportsOf(train, definitions).map(({ code, message }) => `${code} ${message}`);

describe('the train block', () => {
  it('reads its entries', () => {
    const { training } = trainingOf(
      'optimizer: adam, batch: 32 * two, epochs: 10, seed: 7, shuffle: false, clip_norm: 0.5',
    );
    expect(training).toMatchObject({
      batch: 64,
      epochs: 10,
      seed: 7,
      shuffle: false,
      clip: { kind: 'global_norm', limit: 0.5 },
    });
  });

  it('has one epoch, seed 0, shuffling, no batch size and no clipping unless told', () => {
    const { training } = trainingOf('optimizer: sgd(rate = 0.1)');
    expect(training).toMatchObject({ epochs: 1, seed: 0, shuffle: true });
    expect(training).not.toHaveProperty('batch');
    expect(training).not.toHaveProperty('clip');
    expect(trainingOf('optimizer: sgd(0.1), clip_value: 1').training.clip).toEqual({
      kind: 'value',
      limit: 1,
    });
  });

  it('puts every trained parameter in one group', () => {
    const { training } = trainingOf('optimizer[W2, "b*"]: sgd(rate = 0.1)\n optimizer: adam(rate = 0.01)');
    expect(training.groups.map(({ optimizer, parameters }) => [optimizer, ...parameters])).toEqual([
      ['adam', 'W1'],
      ['sgd', 'b1', 'W2', 'b2'],
    ]);
  });

  it('leaves out what is frozen', () => {
    const { training, model } = trainingOf('optimizer: adam, freeze: ["*1", W2]');
    expect(training.groups.map(({ parameters }) => parameters)).toEqual([['b2']]);
    const frozen = [...model.program.tensors.values()].filter((tensor) => tensor.frozen === true);
    expect(frozen.map(({ name }) => name)).toEqual(['W1', 'b1', 'W2']);
  });
});

describe('patterns', () => {
  it.each([
    ['W1', 'W1', true],
    ['W1', 'W12', false],
    ['*', 'W1', true],
    ['enc_*', 'enc_W', true],
    ['enc_*', 'dec_enc_W', false],
    ['*_W', 'enc_W', true],
    ['a*b*c', 'a_b_b_c', true],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
  ])('%s fits %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });
});

describe('mistakes in a train block', () => {
  it.each([
    ['batch: 4', 'E210 this `train` block has no optimizer'],
    ['optimizer: adam, bacth: 4', 'E502 there is no training entry `bacth`'],
    ['optimizer: adam, batch: 4, batch: 5', 'E202 `batch` is given twice'],
    ['optimizer: adam, optimizer: sgd', 'E202 `optimizer` is given twice'],
    ['optimizer: adam, batch: 1.5', 'E501 `batch` must be a whole number of rows, 1 or more, found 1.5'],
    ['optimizer: adam, epochs: 0', 'E501 `epochs` must be a whole number, 1 or more, found 0'],
    ['optimizer: adam, seed: -1', 'E501 `seed` must be a whole number from 0 to 4294967295, found -1'],
    ['optimizer: adam, shuffle: 2', 'E501 `shuffle` must be `true` or `false`, found 2'],
    ['optimizer: adam, clip_norm: 0', 'E501 `clip_norm` must be greater than 0, found 0'],
    [
      'optimizer: adam, clip_norm: 1, clip_value: 1',
      'E501 `clip_norm` and `clip_value` cannot both be given',
    ],
    ['optimizer: adam, batch[W1]: 4', 'E205 `batch` is for the whole training and takes no names'],
    ['optimizer: adam, freeze: 3', 'E308 expected the name of a parameter or a pattern'],
    ['optimizer: adam, freeze: [W3]', 'E201 there is no parameter `W3`'],
    ['optimizer: adam, freeze: "enc_*"', 'E201 no parameter fits the pattern `enc_*`'],
    ['optimizer: adam, freeze: "*"', 'E210 there is nothing to train: every parameter is frozen'],
    ['optimizer[W1]: adam', 'E210 no optimizer for `b1`, `W2`, `b2`'],
    ['optimizer: adam, optimizer[W1]: sgd, optimizer["W*"]: sgd', 'E202 `W1` is given two optimizers'],
    ['optimizer: adma', 'E201 there is no optimizer `adma`'],
    ['optimizer: gelu', 'E204 `gelu` is a fn, not an optimizer'],
    ['optimizer: "adam"', 'E308 expected an optimizer, found a string'],
    ['optimizer: 3', 'E308 expected an optimizer, found a number'],
    ['optimizer: adam(0.1, betas = 2)', 'E205 optimizer `adam` has no hyper-parameter `betas`'],
    ['optimizer: adam(0.1, rate = 2)', 'E205 `rate` is given twice'],
    ['optimizer: lion(1, 0.1, 0.1, 0.1, 5)', 'E205 optimizer `lion` takes 4 arguments, this is one more'],
    ['optimizer: adam(rate = 0)', 'E501 `rate` of `adam` must be greater than 0, found 0'],
    ['optimizer: adam(beta1 = 1)', 'E501 `beta1` of `adam` must be at least 0 and less than 1, found 1'],
    ['optimizer: adam(eps = -1)', 'E501 `eps` of `adam` must be greater than 0, found -1'],
    ['optimizer: sgd(rate = cosine(0.1))', 'E205 schedule `cosine` needs `period`'],
    ['optimizer: sgd(rate = cosine(-1, 10))', 'E501 `rate` of `cosine` must be greater than 0, found -1'],
    ['optimizer: sgd(rate = cosine(1, 0))', 'E501 `period` of `cosine` must be 1 or more, found 0'],
  ])('%s', (train, expected) => {
    expect(reports(train)).toEqual([expected]);
  });

  it.each([
    ["optimizer o(rate) {\n m' = g\n p' = p\n}", 'E201 there is no state `m`'],
    [
      'optimizer o(rate) {\n q = g\n}',
      "E210 optimizer `o` does not give `p'`, the next value of the parameter",
    ],
    [
      "optimizer o(rate) {\n state P[] ~ zeros\n P' = g\n p' = p - rate * P'\n}",
      'E307 `P` is one number, but its next value has the shape [count]',
    ],
    ["optimizer o(rate) {\n p' = p - g\n p' = p\n}", "E202 `p'` is defined already"],
    ["optimizer o(rate) {\n g = g\n p' = p\n}", 'E202 `g` is defined already'],
    ["optimizer o(rate, t = 1) {\n p' = p - g\n}", 'E209 `t` already means something in every optimizer'],
    ["optimizer o(rate) {\n m' = q\n p' = p\n}", 'E201 there is no `q` here', 'E201 there is no state `m`'],
    ["optimizer o(rate) {\n state m ~ ones_\n p' = p - m\n}", 'E503 there is no initialiser `ones_`'],
  ])('%s', (definition, ...expected) => {
    expect(reports('optimizer: o(rate = 1)', definition)).toEqual(expected);
  });

  it.each([
    ['schedule s(rate) {\n x = rate\n}', 'E210 schedule `s` gives no value'],
    ["schedule s(rate) {\n value = rate\n m' = 1\n}", 'E201 there is no state `m`'],
    ['schedule s(rate, step) = rate', 'E205 schedule `s` needs `step`'],
    ['schedule s(rate, step = 1) = rate', 'E209 `step` already means something in every schedule'],
    ['schedule s(rate) = rate * t', 'E201 there is no `t` here'],
  ])('%s', (definition, expected) => {
    expect(reports('optimizer: sgd(rate = s(1))', definition)).toEqual([expected]);
  });

  it('says what was meant', () => {
    expect(reportsOf('optimizer: adma').map(({ hint }) => hint)).toEqual(['did you mean `adam`?']);
    expect(reportsOf('optimizer: adam, bacth: 4').map(({ hint }) => hint)).toEqual(['did you mean `batch`?']);
  });
});
