import { describe, expect, it } from 'vitest';
import { placeOf, textOf } from '../../compiler/diagnostics/source.ts';
import { analyse } from '../../compiler/index.ts';
import { codesOf, firstOf } from './support.ts';

const network = (first: string, second = 'glorot_uniform', activation = 'tanh', bias = 'zeros'): string => `
model M {
  input x[n, 64]
  input y[n, 3]
  param W[64, 16] ~ ${first}
  param b[16]     ~ ${bias}
  param V[16, 3]  ~ ${second}
  h[n, j] = ${activation}(sum[i](x[n, i] * W[i, j]) + b[j])
  z[n, k] = sum[j](h[n, j] * V[j, k])
  loss = mean[n, k]((z[n, k] - y[n, k])^2)
  train { optimizer: adam }
}`;

describe('weights that begin too large', () => {
  it.each(['tanh', 'sigmoid'])('are reported where a %s follows', (activation) => {
    expect(codesOf(network('normal(0, 1)', undefined, activation))).toEqual(['W706']);
    expect(codesOf(network('uniform(-2, 2)', undefined, activation))).toEqual(['W706']);
    expect(codesOf(network('normal(0, 0.1)', undefined, activation))).toEqual([]);
  });

  it('say how large the sums are', () => {
    expect(firstOf(network('normal(0, 1)'))).toEqual({
      message: '`W` begins so large that tanh is flat: sums of 64 products with it have a deviation of 8',
      underlined: 'W',
    });
  });

  it.each(['glorot_uniform', 'glorot_normal', 'he_uniform', 'he_normal', 'lecun_normal', 'orthogonal'])(
    '%s is never among them',
    (initialiser) => expect(codesOf(network(initialiser))).toEqual([]),
  );

  it('do no harm to a relu', () => {
    expect(codesOf(network('normal(0, 1)', undefined, 'relu'))).toEqual([]);
  });

  it('are reported before a softmax, and not where they are scaled down', () => {
    const model = (scores: string): string => `
model M {
  input x[n, 100]
  input label[n]: 3
  param W[100, 3] ~ normal(0, 1)
  z[n, k] = ${scores}
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
  train { optimizer: sgd }
}`;
    expect(codesOf(model('sum[i](x[n, i] * W[i, k])'))).toEqual(['W706']);
    expect(codesOf(model('sum[i](x[n, i] * W[i, k]) / sqrt(100)'))).toEqual([]);
  });
});

describe('hidden units that begin alike', () => {
  it('are reported where nothing tells them apart', () => {
    expect(codesOf(network('zeros', 'zeros'))).toEqual(['W707']);
    expect(codesOf(network('ones', 'constant(0.5)', 'relu'))).toEqual(['W707']);
    expect(firstOf(network('zeros', 'zeros'))).toEqual({
      message:
        '16 hidden units begin alike and stay alike: along them `W`, `b` and `V` have equal first values',
      underlined: 'W',
    });
  });

  it('are not where one parameter is drawn: a last layer of zeros is no mistake', () => {
    expect(codesOf(network('glorot_uniform', 'zeros'))).toEqual([]);
    expect(codesOf(network('zeros', 'glorot_uniform'))).toEqual([]);
    expect(codesOf(network('zeros', 'zeros', 'tanh', 'uniform(-1, 1)'))).toEqual([]);
  });

  it('are not where a parameter is frozen, so that its values are loaded', () => {
    const model = network('zeros', 'zeros').replace('adam }', 'adam, freeze: [W] }');
    expect(codesOf(model)).toEqual([]);
  });

  it('are not without a train block', () => {
    expect(codesOf(network('zeros', 'zeros').replace(/  train.*\n/, ''))).toEqual([]);
  });

  it('are not in a low-rank update, a regression, or where a draw tells them apart', () => {
    expect(
      codesOf(`
model LowRank {
  input x[n, 8]
  input y[n, 4]
  param W[8, 4] ~ glorot_uniform
  param A[8, 2] ~ normal(0, 0.02)
  param B[2, 4] ~ zeros
  z[n, k] = sum[i](x[n, i] * W[i, k]) + sum[r](sum[i](x[n, i] * A[i, r]) * B[r, k])
  loss = mean[n, k]((z[n, k] - y[n, k])^2)
  train { optimizer: adam, freeze: [W] }
}`),
    ).toEqual([]);
    expect(
      codesOf(`
model Regression {
  input x[n, 8]
  input y[n, 4]
  param W[8, 4] ~ zeros
  z[n, k] = sum[i](x[n, i] * W[i, k])
  loss = mean[n, k]((z[n, k] - y[n, k])^2)
  train { optimizer: adam }
}`),
    ).toEqual([]);
    const dropped = network('zeros', 'zeros')
      .replace('model M {', 'model M {\n  random keep[16] ~ bernoulli(0.5)')
      .replace('h[n, j] * V', 'h[n, j] * keep[j] * V');
    expect(codesOf(dropped)).toEqual([]);
  });
});

describe('in a layer of the library', () => {
  const model = (init: string, more = ''): string => `
model M {
  input x[n, 784]
  input t[n]: 10
  p = x |> dense(32, init = ${init}) |> tanh |> dense(10, init = ${init}) ${more}
  loss = mean[n](cross_entropy[k](p[n, k], t[n]))
  train { optimizer: sgd(rate = 0.1) }
}`;
  const reportOf = (init: string) =>
    analyse({ path: 'model.dsl', text: model(init) }).diagnostics.map(({ code, span, hint, notes }) => ({
      code,
      place: placeOf(span),
      underlined: textOf(span),
      hint,
      notes: notes.map(({ message }) => message),
    }));

  it('units that begin alike are reported where it is called', () => {
    expect(reportOf('zeros')).toEqual([
      {
        code: 'W707',
        place: 'model.dsl:5',
        underlined: 'dense',
        hint: 'draw the first values of one of them, such as `p_dense1_W`: `init = glorot_uniform`',
        notes: ['the parameter, at layers.dsl:5'],
      },
    ]);
  });

  it('weights that begin too large are, too', () => {
    const [first] = reportOf('normal(0, 1)');
    expect(first).toMatchObject({
      code: 'W706',
      place: 'model.dsl:5',
      underlined: 'dense',
      hint: 'draw it by the number of its inputs: `init = glorot_uniform` or `init = lecun_normal`',
    });
  });

  it('both are allowed in the line of the call', () => {
    expect(codesOf(model('zeros', '// allow W707'))).toEqual([]);
    expect(codesOf(model('normal(0, 1)', '// allow W706'))).toEqual([]);
  });
});
