import { describe, expect, it } from 'vitest';
import { codesOf, firstOf } from './support.ts';

/** A model whose loss is a mean of one formula of u, any real number that a weight changes, and of data y. */
const modelOf = (formula: string, more = ''): string => `
model M {
  input x[n, 4]
  input y[n]
  input bit[n]: 2
  param w[4] ~ glorot_uniform
  param s ~ 1
${more}
  u[n] = sum[i](x[n, i] * w[i])
  loss = mean[n](s * (y[n] + bit[n]) + u[n] + (${formula}))
}`;

describe('the edge of a function that a gradient passes', () => {
  it.each([
    'log(u[n])',
    'log(relu(u[n]))',
    'log2(abs(u[n]))',
    'log(1 + u[n])',
    'sqrt(u[n])',
    'sqrt(abs(u[n]))',
    'sqrt(relu(u[n]))',
    '1 / u[n]',
    'y[n] / abs(u[n])',
    '1 / (u[n] - 1)',
    'u[n]^0.5',
    'abs(u[n])^0.5',
    'u[n]^-1',
    'u[n]^1.5',
    'abs(u[n])^s',
    'atanh(u[n])',
    'atanh(clip(u[n], -1, 1))',
    'acosh(u[n])',
    'asin(u[n])',
    'acos(max(min(u[n], 1), -1))',
    '(u[n] > 0) * log(u[n])',
    'y[n] > 0 ? log(u[n]) : 0',
  ])('%s is reported', (formula) => {
    expect(codesOf(modelOf(formula))).toEqual(['W705']);
  });

  it.each([
    // kept inside by the formula
    'log(exp(u[n]) + y[n]^2)',
    'log(u[n]^2 + 1e-8)',
    'log(u[n] * u[n] + 1e-8)',
    'log(softplus(u[n]))',
    'log(sigmoid(u[n]))',
    'log(1 - sigmoid(u[n]))',
    'log(max(u[n], 1e-7))',
    'log(clip(u[n], 1e-7, 1))',
    'log(2 + sin(u[n]))',
    'log(1 + abs(u[n]))',
    'log(1 + tanh(u[n]))',
    'sqrt(u[n]^2 + 1e-5)',
    'sqrt(u[n]^2)',
    'sqrt(exp(u[n]))',
    'y[n] / (abs(u[n]) + 1e-7)',
    '1 / (1 + u[n]^2)',
    'u[n] / (1 + abs(u[n]))',
    'u[n]^2',
    'u[n]^3',
    'exp(u[n])^s',
    'abs(u[n])^1.5',
    '(u[n]^2 + 1)^-0.5',
    'atanh(0.9 * tanh(u[n]))',
    'acosh(1.5 + u[n]^2)',
    'asin(clip(u[n], -0.9, 0.9))',
    // behind a condition that looks at it
    '(u[n] > 0 ? log(u[n]) : 0)',
    '(u[n] == 0 ? 0 : 1 / u[n])',
    'log(u[n] > 1 ? u[n] : 1)',
    // no gradient passes
    'u[n] + log(y[n])',
    'u[n] / y[n]',
    'u[n] * stop_gradient(1 / u[n])',
    'u[n] * sqrt(stop_gradient(u[n]))',
    '(log(u[n]) > 0 ? u[n] : 0)',
    // a learned scale that does not begin at 0
    'u[n] / s',
  ])('%s is not', (formula) => {
    expect(codesOf(modelOf(formula))).toEqual([]);
  });

  it('is seen through names and reductions', () => {
    expect(codesOf(modelOf('log(v[n])', '  v[n] = max[i](x[n, i] * w[i])'))).toEqual(['W705']);
    expect(codesOf(modelOf('log(v[n])', '  v[n] = max[i](exp(x[n, i] * w[i]))'))).toEqual([]);
    expect(codesOf(modelOf('u[n] / total', '  total = sum[i](w[i]^2) + 1'))).toEqual([]);
    expect(codesOf(modelOf('u[n] / total', '  total = sum[i](w[i])'))).toEqual(['W705']);
  });

  it('of a softmax is none, in whatever way it is written', () => {
    const model = (formula: string): string => `
model M {
  input x[n, 4]
  input label[n]: 3
  z = x |> dense(3)
  p[n, k] = ${formula}
  loss = -mean[n](log(p[n, label[n]]))
}`;
    expect(codesOf(model('softmax[k](z[n, k])'))).toEqual([]);
    expect(codesOf(model('exp(z[n, k]) / sum[j](exp(z[n, j]))'))).toEqual([]);
    expect(codesOf(model('z[n, k] / sum[j](z[n, j])'))).toEqual(['W705', 'W705']);
  });

  it('is underlined where the function stands once in its statement', () => {
    expect(firstOf(modelOf('log(u[n] + 1)'))).toEqual({
      message: 'the operand of `log1p(u[n])` may be -1 or less: the logarithm is NaN or -inf',
      underlined: 'loss = mean[n](s * (y[n] + bit[n]) + u[n] + (log(u[n] + 1)))',
    });
    expect(firstOf(modelOf('sqrt(abs(u[n]))'))).toEqual({
      message: 'the operand of `sqrt(abs(u[n]))` may be 0: the slope of the root is infinite',
      underlined: 'sqrt(abs(u[n]))',
    });
  });

  it('in a layer is shown at its call, and noted in the layer', () => {
    const { message, underlined } = firstOf(`
layer root(x[n, k]) -> y[n, k] {
  y[n, k] = sqrt(x[n, k])
}
model M {
  input x[n, 4]
  h = x |> dense(3) |> root
  loss = mean(h)
}`);
    expect(message).toBe('the operand of `sqrt(x[n, k])` may be negative: the root is NaN');
    expect(underlined).toBe('root');
  });

  it("is nobody's concern without a loss", () => {
    expect(codesOf('model M {\n input x[n]\n param w ~ 1\n output y[n] = log(w * x[n])\n}')).toEqual([]);
  });
});

describe('a warning that is meant', () => {
  const model = modelOf('log(u[n])');
  const line = '  loss = mean[n](s * (y[n] + bit[n]) + u[n] + (log(u[n])))';

  it('is allowed at the end of its line, or above it', () => {
    expect(codesOf(model)).toEqual(['W705']);
    expect(codesOf(model.replace(line, `${line} // allow W705: prices are positive`))).toEqual([]);
    expect(codesOf(model.replace(line, `  // allow W708 W705\n${line}`))).toEqual([]);
  });

  it('is not allowed by another code, or from elsewhere', () => {
    expect(codesOf(model.replace(line, `${line} // allow W701`))).toEqual(['W705']);
    expect(codesOf(model.replace(line, `${line} // allow W705W706`))).toEqual(['W705']);
    expect(codesOf(model.replace(line, `  // allow W705\n\n${line}`))).toEqual(['W705']);
    expect(codesOf(model.replace('  param s ~ 1', '  param s ~ 1 // allow W705'))).toEqual(['W705']);
  });

  it('may be any warning, and no error', () => {
    expect(codesOf('model M {\n input x[n]\n input y[n] // allow W701\n output z[n] = x[n]\n}')).toEqual([]);
    expect(codesOf('model M {\n input x[n]\n output z[n] = y[n] // allow E201\n}')).toEqual(['E201']);
  });
});

describe('the excerpt of a formula', () => {
  const model = (comment: string): string => `
model M {
  input x[n, 4]
  input y[n]
  o = x |> dense(1)
  s[n] = sqrt( ${comment}
    o[n, 0])
  loss = mean[n]((s[n] - y[n])^2)
}`;

  it.each(['', '// the root', '// :( hm'])('has no comment in it: %s', (comment) => {
    const { message, underlined } = firstOf(model(comment));
    expect(message).toMatch(/^the operand of `sqrt\(\s?o\[n, 0\]\)` may be negative/);
    expect(underlined.endsWith('o[n, 0])')).toBe(true);
  });
});
