/** Textbook models get the textbook gradient: what the emitted file shows line by line. */
import { describe, expect, test } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { validate } from '../../compiler/graph/validate.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { line, lines, trained } from './models.ts';

const affine = `
  input x[n, 3]
  param W[3, 4] ~ zeros
  param b[4]    ~ zeros
  z[n, k] = sum[i](x[n, i] * W[i, k]) + b[k]`;

const affineGradients = ['db[k] = sum[n](dz[n, k])', 'dW[i, k] = sum[n](x[n, i] * dz[n, k])'];

describe('binary cross-entropy on a sigmoid is (a - y) / m', () => {
  const spellings: Readonly<Record<string, string>> = {
    textbook: `
  output a[n, k] = 1 / (1 + exp(-z[n, k]))
  loss = -mean[n, k](y[n, k] * log(a[n, k]) + (1 - y[n, k]) * log(1 - a[n, k]))`,
    library: `
  output a[n, k] = sigmoid(z[n, k])
  loss = mean[n, k](binary_cross_entropy(a[n, k], y[n, k]))`,
    logits: `
  output a[n, k] = sigmoid(z[n, k])
  loss = mean[n, k](bce_logits(z[n, k], y[n, k]))`,
    'signs inside': `
  output a[n, k] = exp(z[n, k]) / (1 + exp(z[n, k]))
  loss = mean[n, k](-y[n, k] * log(a[n, k]) - (1 - y[n, k]) * log(1 - a[n, k]))`,
  };
  for (const [name, spelling] of Object.entries(spellings)) {
    test(name, () => {
      const program = trained(`${affine}\n  input y[n, 4]${spelling}`);
      expect(lines(program, 'backward')).toEqual([
        'dz[n, k] = (a[n, k] - y[n, k]) / (4 * extent(n))',
        ...affineGradients,
      ]);
      expect(line(program, 'a')).toBe('a[n, k] = sigmoid(z[n, k])');
    });
  }

  test('the loss is the stable one, term by term', () => {
    const program = trained(`${affine}\n  input y[n, 4]${spellings['textbook']}`);
    expect(line(program, 'loss')).toBe(
      'loss = sum[n, k](y[n, k] * softplus(-z[n, k]) + (1 - y[n, k]) * softplus(z[n, k])) / (4 * extent(n))',
    );
  });
});

test('the logarithm of two exponentials has the softmax of two as its slopes', () => {
  const program = trained(`
  param u[4] ~ zeros
  param v[4] ~ zeros
  loss = sum[k](log(exp(u[k]) + exp(v[k])))`);
  expect(lines(program, 'backward')).toEqual([
    'dv[k] = v[k] == -inf ? 0 : sigmoid(v[k] - u[k])',
    'du[k] = v[k] == -inf ? 1 : sigmoid(u[k] - v[k])',
  ]);
  const tensors = { u: [0, -Infinity, 800, -Infinity], v: [0, 1, 0, -Infinity] };
  const values = interpret(program, { extents: {}, tensors });
  expect([...(values.get(program.gradients.get('u') ?? '') ?? [])]).toEqual([0.5, 0, 1, 1]);
  expect([...(values.get(program.gradients.get('v') ?? '') ?? [])]).toEqual([0.5, 1, 0, 0]);
});

describe('softmax cross-entropy is (p - onehot) / m', () => {
  const spellings: Readonly<Record<string, string>> = {
    textbook: `
  output p[n, k] = exp(z[n, k]) / sum[k](exp(z[n, k]))
  loss = -mean[n](sum[k]((k == label[n]) * log(p[n, k])))`,
    'by name': `
  output p[n, k] = softmax[k](z[n, k])
  loss = -mean[n](sum[k]((k == label[n]) * log(p[n, k])))`,
    'maximum taken out by hand': `
  m[n] = max[k](z[n, k])
  e[n, k] = exp(z[n, k] - m[n])
  s[n] = sum[k](e[n, k])
  output p[n, k] = e[n, k] / s[n]
  loss = mean[n](-sum[k]((k == label[n]) * log(p[n, k])))`,
    'picked by the label': `
  output p[n, k] = softmax[k](z[n, k])
  loss = -mean[n](log(p[n, label[n]]))`,
    'logits and label': `
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](logsumexp[k](z[n, k]) - z[n, label[n]])`,
    library: `
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))`,
  };
  for (const [name, spelling] of Object.entries(spellings)) {
    test(name, () => {
      const program = trained(`${affine}\n  input label[n]: 4${spelling}`);
      expect(lines(program, 'backward')).toEqual([
        'dz[n, k] = (p[n, k] - (k == label[n])) / extent(n)',
        ...affineGradients,
      ]);
      expect(program.statements.filter(({ combine }) => combine === 'logsumexp')).toHaveLength(1);
    });
  }

  test('soft targets keep the sum of their row', () => {
    const program = trained(`${affine}
  input y[n, 4]
  output p[n, k] = softmax[k](z[n, k])
  loss = -mean[n](sum[k](y[n, k] * log(p[n, k])))`);
    expect(lines(program, 'backward')).toEqual([
      'dp_logsumexp[n] = sum[k](y[n, k]) / extent(n)',
      'dz[n, k] = dp_logsumexp[n] * p[n, k] - y[n, k] / extent(n)',
      ...affineGradients,
    ]);
  });
});

test('mean squared error', () => {
  const program = trained(`${affine}\n  input y[n, 4]\n  loss = mean((z - y)^2)`);
  expect(lines(program)).toEqual([
    'z[n, k] = sum[i](x[n, i] * W[i, k]) + b[k]',
    line(program, 'loss'),
    'dz[n, k] = (z[n, k] - y[n, k]) / (2 * extent(n))',
    ...affineGradients,
  ]);
});

test('a perceptron: bias and activation in the products, every statement', () => {
  const program = trained(`
  dim pixels = 6, hidden = 5, classes = 4
  input x[n, pixels]
  input label[n]: classes
  param W1[pixels, hidden]  ~ glorot_uniform
  param b1[hidden]          ~ zeros
  param W2[hidden, classes] ~ glorot_uniform
  param b2[classes]         ~ zeros
  h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
  z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](logsumexp[k](z[n, k]) - z[n, label[n]])
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])`);
  expect(validate(program)).toEqual([]);
  expect(lines(program)).toEqual([
    'h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])',
    'z[n, k] = sum[j](h[n, j] * W2[j, k]) + b2[k]',
    'p_logsumexp[n] = logsumexp[k](z[n, k])',
    'p[n, k] = exp(z[n, k] - p_logsumexp[n])',
    'loss = sum[n](p_logsumexp[n] - z[n, label[n]]) / extent(n)',
    'accuracy_argmax[n] = argmax[k](z[n, k])',
    'accuracy = sum[n](accuracy_argmax[n] == label[n]) / extent(n)',
    'dz[n, k] = (p[n, k] - (k == label[n])) / extent(n)',
    'db2[k] = sum[n](dz[n, k])',
    'dW2[j, k] = sum[n](h[n, j] * dz[n, k])',
    'dh_sum[n, j] = h[n, j] > 0 ? sum[k](dz[n, k] * W2[j, k]) : 0',
    'db1[j] = sum[n](dh_sum[n, j])',
    'dW1[i, j] = sum[n](x[n, i] * dh_sum[n, j])',
  ]);
});

test('derivatives are written in what the forward pass kept', () => {
  const program = trained(`
  input x[n, 3]
  input y[n, 2]
  param W[3, 2] ~ zeros
  h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))
  a[n, j] = sigmoid(h[n, j])
  loss = sum((a - y)^2)`);
  expect(lines(program, 'backward').join('\n')).not.toMatch(/tanh|sigmoid/);
});

test('standardised rows: the moments are computed once, their adjoints by two sums', () => {
  const program = trained(`
  input x[n, 5]
  input y[n, 5]
  param g[5] ~ ones
  param s[5] ~ zeros
  h[n, i] = x[n, i] * s[i]
  c[n, i] = h[n, i] - mean[i](h[n, i])
  v[n] = mean[i](c[n, i]^2)
  output q[n, i] = g[i] * c[n, i] / sqrt(v[n] + 1e-5)
  loss = mean((q - y)^2)`);
  expect(lines(program)).toMatchInlineSnapshot(`
    [
      "c_sum[n] = sum[i](x[n, i] * s[i])",
      "c[n, i] = x[n, i] * s[i] - c_sum[n] / 5",
      "v[n] = sum[i](c[n, i]^2) / 5",
      "q[n, i] = g[i] * c[n, i] / sqrt(v[n] + 1e-5)",
      "loss = sum[n, i]((q[n, i] - y[n, i])^2) / (5 * extent(n))",
      "dq[n, i] = 2 * (q[n, i] - y[n, i]) / (5 * extent(n))",
      "dg[i] = sum[n](dq[n, i] * (c[n, i] / sqrt(v[n] + 1e-5)))",
      "dv_sum[n] = -(sum[i](dq[n, i] * q[n, i]) / (10 * (v[n] + 1e-5)))",
      "dc[n, i] = dq[n, i] * (g[i] / sqrt(v[n] + 1e-5)) + dv_sum[n] * (2 * c[n, i])",
      "dc_sum[n] = -(sum[i](dc[n, i]) / 5)",
      "ds[i] = sum[n]((dc[n, i] + dc_sum[n]) * x[n, i])",
    ]
  `);
});

const values = (program: Program, x: readonly number[], others: Record<string, number[]>): number[] => {
  const tensors = { x, W: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1], b: [0, 0, 0, 0], ...others };
  const all = interpret(program, { extents: { n: 2 }, tensors });
  return [program.loss ?? '', ...program.gradients.values()].flatMap((name) => [...(all.get(name) ?? [])]);
};

describe('inputs of any size give finite gradients', () => {
  const x = [200, -200, 0, -800, 800, 1000];

  test('binary cross-entropy', () => {
    const program = trained(`${affine}
  input y[n, 4]
  a[n, k] = 1 / (1 + exp(-z[n, k]))
  loss = -mean[n, k](y[n, k] * log(a[n, k]) + (1 - y[n, k]) * log(1 - a[n, k]))`);
    expect(values(program, x, { y: [0, 1, 1, 0, 1, 0, 0.5, 1] }).every(Number.isFinite)).toBe(true);
  });

  test('softmax cross-entropy', () => {
    const program = trained(`${affine}
  input label[n]: 4
  p[n, k] = exp(z[n, k]) / sum[k](exp(z[n, k]))
  loss = -mean[n](sum[k]((k == label[n]) * log(p[n, k])))`);
    expect(values(program, x, { label: [1, 0] }).every(Number.isFinite)).toBe(true);
  });
});
