/** One set of weights in several places: weights that are read again, and calls that share them. */
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { prepare } from '../../compiler/rewrite/index.ts';
import { expectRightGradient, givenValues } from '../prelude/support.ts';
import { errorOf, programOf, textOf } from './helpers.ts';

const shapesOf = (body: string, around = ''): string[] =>
  [...programOf(body, around).tensors.values()]
    .filter(({ role }) => role === 'parameter')
    .map(({ name, axes }) => `${name}[${axes.join(', ')}]`);

/** Loss and gradients. */
function gradientsOf(body: string, around = ''): Record<string, number[]> {
  const made = differentiate(prepare(programOf(body, around)), new Diagnostics());
  const values = interpret(made, { tensors: givenValues(made) });
  const named = [...made.gradients].map(([name, cotangent]) => [name, [...(values.get(cotangent) ?? [])]]);
  return { ...Object.fromEntries(named), loss: [...(values.get('loss') ?? [])] };
}

const tower = `layer tower(x[.., i], hidden, last = true) -> y[.., 2] {
  h = x |> dense(hidden) |> tanh
  y = h |> dense(2, bias = last)
}`;
const inputs = 'input a[3, 4]\ninput b[3, 4]';

describe('a weight that is read again', () => {
  it('is tied: the head of a language model is its table, turned around', () => {
    const body = `
input token[2, 5]: 6
e = embedding(token, 6, 3)
h = e |> gru(3)
z[n, t, w] = sum[d](h[n, t, d] * e_E[w, d])
loss = mean[n, t: 4](cross_entropy[w](z[n, t, w], token[n, t + 1]))`;
    expect(shapesOf(body)).toEqual(['e_E[6, 3]', 'h_W[3, 9]', 'h_U[3, 9]', 'h_b[9]', 'h_c[9]']);
    expectRightGradient(programOf(body));
  });

  it('is tied: what comes out goes back through the weights by which it came in', () => {
    const body = `
input x[4, 6]
h = x |> dense(2) |> tanh
y[n, i] = sum[o](h[n, o] * h_W[i, o])
loss = mean((y - x)^2)`;
    expect(shapesOf(body)).toEqual(['h_W[6, 2]', 'h_b[2]']);
    expectRightGradient(programOf(body));
  });
});

describe('a layer called with the weights of another call', () => {
  const shared = `${inputs}\nleft = tower(a, 5)\nright = tower(b, 5, weights = left)\nloss = sum(left * right^2)`;

  it('makes no parameters of its own', () => {
    const names = ['left_h_W[4, 5]', 'left_h_b[5]', 'left_y_W[5, 2]', 'left_y_b[2]'];
    expect(shapesOf(shared, tower)).toEqual(names);
  });

  it('computes what a layer does that is given the weights as tensors, with the same gradient', () => {
    const given = `layer tower(x[.., i], W[i, h], b[h], V[h, 2], c[2]) -> y[.., 2] {
  g[.., o] = tanh(sum[i](x[.., i] * W[i, o]) + b[o])
  y[.., k] = sum[o](g[.., o] * V[o, k]) + c[k]
}`;
    const body = `${inputs}
param left_h_W[4, 5] ~ ones
param left_h_b[5] ~ ones
param left_y_W[5, 2] ~ ones
param left_y_b[2] ~ ones
left = tower(a, left_h_W, left_h_b, left_y_W, left_y_b)
right = tower(b, left_h_W, left_h_b, left_y_W, left_y_b)
loss = sum(left * right^2)`;
    const own = gradientsOf(shared, tower);
    const wanted = gradientsOf(body, given);
    expect(Object.keys(own).toSorted()).toEqual(Object.keys(wanted).toSorted());
    for (const [name, values] of Object.entries(wanted)) {
      expect(own[name]).toHaveLength(values.length);
      for (const [i, value] of values.entries()) expect(own[name]?.[i]).toBeCloseTo(value, 12);
    }
    expectRightGradient(programOf(shared, tower));
  });

  it('may be one of several of its statement, and be handed on', () => {
    const body = `${inputs}
left = a |> dense(3) |> tanh |> dense(2)
right = b |> dense(3, weights = left_dense1) |> tanh |> dense(2)
third = b |> dense(3, weights = right_dense1)
loss = sum(left * right) + sum(third)`;
    expect(shapesOf(body)).toEqual([
      'left_dense1_W[4, 3]',
      'left_dense1_b[3]',
      'left_dense2_W[3, 2]',
      'left_dense2_b[2]',
      'right_dense2_W[3, 2]',
      'right_dense2_b[2]',
    ]);
  });

  it('may stand in a layer, which may itself be shared', () => {
    const around = `layer both(x[.., i], z[.., i]) -> y[.., 2] {
  p = x |> dense(2)
  q = z |> dense(2, weights = p)
  y = p + 2 * q
}`;
    const body = `${inputs}\nu = both(a, b)\nv = both(b, a, weights = u)\nloss = sum(u * v)`;
    expect(shapesOf(body, around)).toEqual(['u_p_W[4, 2]', 'u_p_b[2]']);
    expectRightGradient(programOf(body, around));
  });

  it('has states and draws of its own', () => {
    const body = `${inputs}
left = a |> batch_norm
right = b |> batch_norm(weights = left)
loss = sum(left * right)`;
    const { tensors } = programOf(body);
    const named = (role: string): string[] =>
      [...tensors.values()].filter((tensor) => tensor.role === role).map(({ name }) => name);
    expect(named('parameter')).toEqual(['left_gamma', 'left_beta']);
    expect(named('state').filter((name) => name.startsWith('right'))).toHaveLength(2);
  });

  it('makes a parameter that the other call left out', () => {
    const body = `${inputs}
left = a |> dense(2, bias = false)
right = b |> dense(2, weights = left)
loss = sum(left * right)`;
    expect(shapesOf(body)).toEqual(['left_W[4, 2]', 'left_b[2]']);
  });

  it('is, for layers of any number of leading axes, one call of both inputs', () => {
    const body = `${inputs}
pair[n, s: 2, i] = s == 0 ? a[n, i] : b[n, i]
left = tower(pair, 5)
loss = sum[n, k](left[n, 0, k] * left[n, 1, k]^2)`;
    expect(gradientsOf(body, tower)['loss']?.[0]).toBeCloseTo(
      gradientsOf(shared, tower)['loss']?.[0] ?? NaN,
      12,
    );
  });
});

describe('it is an error', () => {
  it.each([
    ['left = tower(a, 5)\nright = tower(b, 6, weights = left)', "E301 'left'", 'same sizes'],
    ['left = a |> dense(5)\nright = tower(b, 6, weights = left)', "E205 'left'", 'without `weights` first'],
    ['left = tower(a, 5)\nright = tower(b, 5, weights = lift)', "E205 'lift'", '`left`'],
    ['right = tower(b, 5, weights = 3)\nleft = a', "E205 '3'", 'without `weights` first'],
    [
      'left = a |> dense(3) |> dense(3)\nright = b |> dense(3, weights = left)',
      "E205 'left'",
      '`left` calls several layers; for example `weights = left_dense1`',
    ],
  ])('%s', (body, wanted, hint) => {
    const error = errorOf(`${inputs}\n${body}\noutput y = left\noutput z = right`, tower);
    expect(`${error.code} '${textOf(error.span)}'`).toBe(wanted);
    expect(error.hint).toContain(hint);
  });
});
