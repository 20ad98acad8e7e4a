/** `require`: what must hold of the numbers that are known at compile time. */
import { describe, expect, it } from 'vitest';
import { diagnose, errorOf, statementsOf, textOf } from './helpers.ts';

const around = `
layer odd(x[n, k], width) -> y[n, k] {
  require mod(width, 2) == 1, "width must be odd"
  require width <= k, "a window must not be longer than its axis"
  y[n, i] = width * x[n, i]
}`;

describe('a requirement', () => {
  it('is nothing where it is met', () => {
    expect(statementsOf('input x[n, 4]\noutput y = odd(x, 3)', around)).toEqual(['y[n, i] = 3 * x[n, i]']);
    expect(statementsOf('dim a = 2\nrequire a < 3, "a is small"\ninput x[n, a]\noutput y = x')).toHaveLength(
      1,
    );
  });

  it('is an error of the layer, with its words, the numbers and the call', () => {
    const error = errorOf('input x[n, 4]\noutput y = odd(x, 2)', around);
    expect(`${error.code} '${textOf(error.span)}'`).toBe("E309 'mod(width, 2) == 1'");
    expect(error.message).toBe('width must be odd: `mod(width, 2) == 1` does not hold, where `width` is 2');
    expect(error.notes.map(({ span }) => textOf(span))).toEqual(['odd']);
  });

  it('is the only error of its call: what follows rests on it', () => {
    const list = diagnose('input x[n, 4]\ny = odd(x, 5)\noutput z = y + 1', around);
    expect(list.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'E309 a window must not be longer than its axis: `width <= k` does not hold, where `width` is 5 and `k` is 4',
    ]);
  });

  it('may stand in a model', () => {
    const error = errorOf('dim a = 5, b = 2\nrequire a == 2 * b, "a is twice b"\noutput y[i: a] = i');
    expect(error).toMatchObject({
      code: 'E309',
      message: 'a is twice b: `a == 2 * b` does not hold, where `a` is 5 and `b` is 2',
    });
  });

  it.each([
    ['require sum(x) > 0, "positive"', "E309 'sum(x) > 0'"],
    ['require oops > 0, "positive"', "E201 'oops'"],

    ['require 1 > 0', "E102 ''"],
    ['require 1 > 0, positive', "E102 'positive'"],
    ['require 1 > 0, "positive" 3', "E102 '3'"],
  ])('may be wrong: %s', (statement, wanted) => {
    const [first] = diagnose(`input x[n, 4]\n${statement}\noutput y = x`);
    expect(first && `${first.code} '${textOf(first.span)}'`).toBe(wanted);
  });
});

describe('layers of the library', () => {
  it.each([
    ['8, 8, 3', 'conv2d(4, 3, pad = -1)', 'pad must not be negative'],
    ['8, 3', 'conv1d(4, 3, pad = 1, causal = true)', 'leave out pad'],
    ['8', 'batch_norm(eps = -1)', 'eps must not be negative'],
  ])('of [n, %s] refuse %s', (shape, call, wanted) => {
    const error = errorOf(`input x[n, ${shape}]\noutput y = x |> ${call}`);
    expect(error.code).toBe('E309');
    expect(error.message).toContain(wanted);
  });

  it('take a causal convolution without pad', () => {
    expect(
      statementsOf('input x[n, 8, 3]\noutput y = x |> conv1d(4, 3, causal = true)').length,
    ).toBeGreaterThan(0);
  });
});

describe('pooling', () => {
  it.each([
    ['n, 8, 8, 3', 'max_pool2d(2, pad = 2)'],
    ['n, 8, 8, 3', 'avg_pool2d(2, pad = 2, count_pad = false)'],
    ['n, 8, 3', 'max_pool1d(3, pad = 4)'],
    ['n, 8, 3', 'avg_pool1d(3, pad = 3)'],
  ])('of [%s] refuses windows that lie outside: %s', (shape, call) => {
    const error = errorOf(`input x[${shape}]\noutput y = x |> ${call}`);
    expect(`${error.code} '${textOf(error.span)}'`).toBe(`E309 '${call}'`);
    expect(error.message).toContain('pad must be less than size');
    expect(error.notes[0]?.message).toMatch(/^here, in the library, where `pad` is \d and `size` is \d$/);
  });
});
