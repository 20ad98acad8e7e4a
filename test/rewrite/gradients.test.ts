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
      'loss = mean[n, k](y[n, k] * softplus(-z[n, k]) + (1 - y[n, k]) * softplus(z[n, k]))',
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
    'z_logsumexp[n] = logsumexp[k](z[n, k])',
    'p[n, k] = exp(z[n, k] - z_logsumexp[n])',
    'loss = mean[n](z_logsumexp[n] - z[n, label[n]])',
    'z_argmax[n] = argmax[k](z[n, k])',
    'accuracy = mean[n](z_argmax[n] == label[n])',
    'dz[n, k] = (p[n, k] - (k == label[n])) / extent(n)',
    'db2[k] = sum[n](dz[n, k])',
    'dW2[j, k] = sum[n](h[n, j] * dz[n, k])',
    'dh[n, j] = h[n, j] > 0 ? sum[k](dz[n, k] * W2[j, k]) : 0',
    'db1[j] = sum[n](dh[n, j])',
    'dW1[i, j] = sum[n](x[n, i] * dh[n, j])',
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
      "v[n] = mean[i](c[n, i]^2)",
      "q[n, i] = g[i] * c[n, i] / sqrt(v[n] + 1e-5)",
      "loss = mean[n, i]((q[n, i] - y[n, i])^2)",
      "dq[n, i] = 2 * (q[n, i] - y[n, i]) / (5 * extent(n))",
      "dg[i] = sum[n](dq[n, i] * (c[n, i] / sqrt(v[n] + 1e-5)))",
      "dv_sum[n] = -sum[i](dq[n, i] * q[n, i]) / (10 * (v[n] + 1e-5))",
      "dc[n, i] = dq[n, i] * (g[i] / sqrt(v[n] + 1e-5)) + dv_sum[n] * (2 * c[n, i])",
      "dc_sum[n] = -mean[i](dc[n, i])",
      "ds[i] = sum[n]((dc[n, i] + dc_sum[n]) * x[n, i])",
    ]
  `);
});

describe('the mean inside a variance carries no gradient: three terms', () => {
  const backward = (norm: string): string[] =>
    lines(
      trained(`
  input x[n, 4]
  input y[n, 4]
  param s[4] ~ zeros
  h[n, i] = x[n, i] * s[i]${norm}
  loss = sum[n, k](q[n, k] * y[n, k])`),
      'backward',
    );

  test('layer norm (Ba, Kiros & Hinton 2016)', () => {
    const norm = `
  m[n] = mean[k](h[n, k])
  v[n] = mean[k]((h[n, k] - m[n])^2)
  output q[n, k] = (h[n, k] - m[n]) / sqrt(v[n] + 1e-5)`;
    expect(backward(norm)).toEqual([
      'dv_sum[n] = -sum[k](y[n, k] * q[n, k]) / (8 * (v[n] + 1e-5))',
      'dm_sum[n] = -sum[k](y[n, k]) / (sqrt(v[n] + 1e-5) * 4)',
      'ds[i] = sum[n]((y[n, i] / sqrt(v[n] + 1e-5) + 2 * dv_sum[n] * (h[n, i] - m[n]) + dm_sum[n]) * x[n, i])',
    ]);
  });

  test('batch norm (Ioffe & Szegedy 2015)', () => {
    const norm = `
  m[k] = mean[n](h[n, k])
  v[k] = mean[n]((h[n, k] - m[k])^2)
  output q[n, k] = (h[n, k] - m[k]) / sqrt(v[k] + 1e-5)`;
    expect(backward(norm)).toEqual([
      'dv_sum[k] = -sum[n](y[n, k] * q[n, k]) / (2 * (v[k] + 1e-5) * extent(n))',
      'dm_sum[k] = -sum[n](y[n, k]) / (sqrt(v[k] + 1e-5) * extent(n))',
      'ds[i] = sum[n]((y[n, i] / sqrt(v[i] + 1e-5) + 2 * dv_sum[i] * (h[n, i] - m[i]) + dm_sum[i]) * x[n, i])',
    ]);
  });

  test('batch norm with gain and shift: its two sums are those of their gradients', () => {
    const program = trained(`
  input x[n, 4]
  input y[n, 4]
  param W[4, 4] ~ zeros
  h[n, k] = sum[i](x[n, i] * W[i, k])
  q = h |> batch_norm
  loss = sum[n, k](y[n, k] * q[n, k]^2)`);
    const sums = lines(program, 'backward').filter((each) => each.includes('= sum['));
    expect(sums).toEqual([
      'dq_beta[k] = sum[n](dq[n, k])',
      'dq_gamma_sum[k] = sum[n](dq[n, k] * (h[n, k] - q_batch_mean[k]))',
      'dW[i, k] = sum[n](x[n, i] * dh[n, k])',
    ]);
    expect(line(program, 'dq_gamma')).toBe(
      'dq_gamma[k] = dq_gamma_sum[k] / sqrt(q_batch_variance[k] + 0.00001)',
    );
    expect(line(program, 'dh')).toBe(
      'dh[n, k] = dq[n, k] * (q_gamma[k] / sqrt(q_batch_variance[k] + 0.00001)) + dq_batch_variance_sum[k] * (2 * (h[n, k] - q_batch_mean[k])) + dq_batch_mean_sum[k]',
    );
  });

  test('groups: runs of one axis', () => {
    const norm = `
  m[n, a: 2] = mean[k: 2](h[n, 2*a + k])
  v[n, a: 2] = mean[k: 2]((h[n, 2*a + k] - m[n, a])^2)
  output q[n, k: 4] = (h[n, k] - m[n, k / 2]) / sqrt(v[n, k / 2] + 1e-5)`;
    expect(backward(norm)).toEqual([
      'dv_sum[n, a] = -sum[k2: 2](y[n, 2*a + k2] * q[n, 2*a + k2]) / (4 * (v[n, a] + 1e-5))',
      'dm_sum[n, a] = -sum[k2: 2](y[n, 2*a + k2]) / (sqrt(v[n, a] + 1e-5) * 2)',
      'ds[i] = sum[n]((y[n, i] / sqrt(v[n, i / 2] + 1e-5) + 2 * dv_sum[n, i / 2] * (h[n, i] - m[n, i / 2]) + dm_sum[n, i / 2]) * x[n, i])',
    ]);
  });

  test('distances from anything else than their own mean stay', () => {
    const scaled = '\n  m[n] = sum[k](h[n, k]) / 3\n  output q[n, k] = (h[n, k] - m[n])^2';
    const other = '\n  m[n] = mean[k](h[n, k]^2)\n  output q[n, k] = (h[n, k] - m[n])^2';
    const part = '\n  m[n] = mean[k: 3](h[n, k])\n  output q[n, k: 4] = (h[n, k] - m[n])^2';
    for (const norm of [scaled, other, part])
      expect(backward(norm).join('\n')).toMatch(/^dm_sum\[n\] = .*sum\[k\]/m);
  });

  test('in a forward formula the user wants to see what rounding leaves', () => {
    const program = trained(`
  input x[n, 4]
  param s ~ ones
  m[n] = mean[k](x[n, k])
  loss = sum[n](s * sum[k](x[n, k] - m[n]))`);
    expect(lines(program, 'forward').join('\n')).toContain('x[n, k] - m[n]');
  });
});

describe('a mask keeps what it hides out of the gradient', () => {
  test('masked cross-entropy is (p - onehot) / N where the mask holds', () => {
    const program = trained(`
  input x[n, 3, 5]
  input label[n, 3]: 4
  input length[n]: 4
  param W[5, 4] ~ zeros
  z[n, t, k] = sum[i](x[n, t, i] * W[i, k])
  loss = mean[n](sum[t](t < length[n] ? cross_entropy[k](z[n, t, k], label[n, t]) : 0))`);
    expect(line(program, 'dz')).toBe(
      'dz[n, t, k] = t < length[n] ? (exp(z[n, t, k] - z_logsumexp[n, t]) - (k == label[n, t])) / extent(n) : 0',
    );
  });

  test('softmax under a mask: one condition, w (dw - sum(dw w)) / √d', () => {
    const program = trained(`
  input x[n, 3, 4]
  param W[4, 4] ~ zeros
  q[n, i, c] = sum[d](x[n, i, d] * W[d, c])
  score[n, i, j] = sum[c](q[n, i, c] * x[n, j, c]) / sqrt(4)
  w[n, i, j] = softmax[j](j <= i ? score[n, i, j] : -inf)
  loss = sum[n, i, c](sum[j](w[n, i, j] * x[n, j, c])^2)`);
    expect(line(program, 'dw_logsumexp')).toBe('dw_logsumexp[n, i] = -sum[j](dw[n, i, j] * w[n, i, j])');
    expect(line(program, 'dscore_sum')).toBe(
      'dscore_sum[n, i, j] = j <= i ? w[n, i, j] * (dw[n, i, j] + dw_logsumexp[n, i]) / 2 : 0',
    );
  });
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
