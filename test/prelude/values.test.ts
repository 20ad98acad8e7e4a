import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { elaborateText } from '../model/training-support.ts';

const { abs, cosh, exp, expm1, hypot, log, log1p, max, min, sqrt, tanh, PI } = Math;

// What the expressions below read.
const x = 0.7;
const y = -1.2;
const z = [0.5, -1, 2, 0.1];
const q = [0.1, 0.2, 0.3, 0.4];
const w = [1, 2, 3, 4];
const label = 3;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const sigmoid = (u: number): number => 1 / (1 + exp(-u));
const softplus = (u: number): number => log(1 + exp(u));
const logits = z.map((value) => value - log(sum(z.map(exp))));
const l = logits[label] ?? NaN;
const norm = (values: readonly number[]): number => hypot(...values);
const erfOfOneHalf = 0.5204998778130465;

const selu = [1.0507009873554805, 1.6732632423543772] as const;

/** Expressions of the language and what they are, worked out by hand. */
const cases: readonly [expression: string, value: number][] = [
  ['identity(x)', x],
  ['square(y)', y * y],
  ['reciprocal(x)', 1 / x],
  ['rsqrt(x)', 1 / sqrt(x)],
  ['where(x > y, 3, 4)', 3],
  ['clip(x, 0, 0.5)', 0.5],
  ['clip(y, -1, 0.5)', -1],
  ['clip(x, 0, 1)', x],
  ['straight_through_round(2 * y)', -2],
  ['straight_through_sign(x)', 1],
  ['straight_through_sign(y)', -1],
  ['gradient_reversal(x)', x],
  ['leaky_relu(x)', x],
  ['leaky_relu(y)', 0.01 * y],
  ['leaky_relu(y, slope = 0.3)', 0.3 * y],
  ['relu6(10 * x)', 6],
  ['relu6(y)', 0],
  ['hard_sigmoid(x)', (x + 3) / 6],
  ['hard_sigmoid(5 * y)', 0],
  ['hard_swish(x)', (x * (x + 3)) / 6],
  ['elu(x)', x],
  ['elu(y, 2)', 2 * expm1(y)],
  ['selu(x)', selu[0] * x],
  ['selu(y)', selu[0] * selu[1] * expm1(y)],
  ['celu(y, 1.3)', 1.3 * expm1(y / 1.3)],
  ['softplus_beta(x, 3)', softplus(3 * x) / 3],
  ['log_sigmoid(x)', log(sigmoid(x))],
  ['log_sigmoid(1000 * y)', -1200],
  ['softsign(y)', y / 2.2],
  ['gelu(sqrt(2) / 2)', (sqrt(2) / 4) * (1 + erfOfOneHalf)],
  ['gelu_tanh(x)', 0.5 * x * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x ** 3)))],
  ['silu(x)', x * sigmoid(x)],
  ['swish(x, 1.5)', x * sigmoid(1.5 * x)],
  ['mish(x)', x * tanh(softplus(x))],
  ['sum[k](w[k] * softmax[k](z[k]))', sum(z.map((_, k) => (w[k] ?? NaN) * exp(logits[k] ?? NaN)))],
  ['sum[k](w[k] * log_softmax[k](z[k]))', sum(z.map((_, k) => (w[k] ?? NaN) * (logits[k] ?? NaN)))],

  ['squared_error(x, y)', 1.9 ** 2],
  ['absolute_error(y, x)', 1.9],
  ['huber(x, y)', 1.4],
  ['huber(x, y, delta = 2)', 1.9 ** 2 / 2],
  ['smooth_l1(x, y, beta = 2)', 1.9 ** 2 / 4],
  ['smooth_l1(x, y)', 1.4],
  ['log_cosh(x, y)', log(cosh(1.9))],
  ['log_cosh(1000 * x, y)', 701.2 - log(2)],
  ['gaussian_nll(x, y, 2)', (log(2) + 1.9 ** 2 / 2) / 2],
  ['poisson_nll(x, 3)', exp(x) - 3 * x],
  ['binary_cross_entropy(x, 0.25)', -(0.25 * log(0.7) + 0.75 * log(0.3))],
  ['binary_cross_entropy_clamped(x, 0.25)', -(0.25 * log(0.7) + 0.75 * log(0.3))],
  ['binary_cross_entropy_clamped(0 * x, 1)', 100],
  ['binary_cross_entropy_clamped(0 * x, 0)', 0],
  ['binary_cross_entropy_clamped(1 + 0 * x, 0)', 100],
  ['bce_logits(y, 1)', -log(sigmoid(y))],
  ['bce_logits(1000 * x, 1)', 0],
  ['bce_logits_weighted(y, 1, 3)', -3 * log(sigmoid(y))],
  ['bce_logits_weighted(y, 0, 3)', -log(1 - sigmoid(y))],
  ['focal(y, 1)', -((1 - sigmoid(y)) ** 2) * log(sigmoid(y))],
  ['focal(y, 0, gamma = 3)', -(sigmoid(y) ** 3) * log(1 - sigmoid(y))],
  ['hinge(x, -1)', 1.7],
  ['hinge(x, 1, margin = 0.5)', 0],
  ['squared_hinge(x, -1)', 1.7 ** 2],
  ['cross_entropy[k](z[k], label)', -l],
  ['cross_entropy[k](z[k], label, smoothing = 0.1)', -(0.9 * l + (0.1 * sum(logits)) / 4)],
  ['cross_entropy_weighted[k](z[k], label, w[k])', -4 * l],
  [
    'cross_entropy_weighted[k](z[k], label, w[k], smoothing = 0.1)',
    -(0.9 * 4 * l + 0.025 * sum(logits.map((value, k) => value * (w[k] ?? NaN)))),
  ],
  ['cross_entropy_ignoring[k](z[k], label, 1)', -l],
  ['cross_entropy_ignoring[k](z[k], label, 3)', 0],
  ['cross_entropy_soft[k](z[k], q[k])', -sum(logits.map((value, k) => value * (q[k] ?? NaN)))],
  ['cross_entropy_probabilities[k](q[k], w[k])', -sum(q.map((value, k) => (w[k] ?? NaN) * log(value)))],
  ['nll[k](z[k], label)', -0.1],
  ['nll[k](z[k], label, w[k])', -0.4],
  ['kl_divergence(y, 0.3)', 0.3 * (log(0.3) - y)],
  ['kl_divergence(y, 0 * x)', 0],
  [
    'distillation[k](z[k], z[k] - w[k], temperature = 2)',
    (() => {
      const logSoftmax = (u: readonly number[]): number[] => u.map((value) => value - log(sum(u.map(exp))));
      const a = logSoftmax(z.map((value) => value / 2));
      const b = logSoftmax(z.map((value, k) => (value - (w[k] ?? NaN)) / 2));
      return 4 * sum(a.map((value, k) => exp(value) * (value - (b[k] ?? NaN))));
    })(),
  ],
  ['multi_margin[k](z[k], label)', (1.4 + 0 + 2.9) / 4],
  ['cosine_similarity[k](z[k], w[k])', sum(z.map((value, k) => value * (w[k] ?? NaN))) / norm(z) / norm(w)],
  ['cosine_similarity[k](0 * z[k], w[k])', 0],
  ['cosine_embedding[k](w[k], 2 * w[k], -1, margin = 0.1)', 0.9],
  ['cosine_embedding[k](w[k], 2 * w[k], 1)', 0],
  [
    'triplet_margin[k](z[k], w[k], q[k], margin = 0.5, eps = 0.01)',
    max(
      0,
      norm(z.map((value, k) => value - (w[k] ?? NaN) + 0.01)) -
        norm(z.map((value, k) => value - (q[k] ?? NaN) + 0.01)) +
        0.5,
    ),
  ],
  ['l2(z, 0.1)', 0.05 * sum(z.map((value) => value ** 2))],
  ['l2_sp(z, q, 0.1)', 0.05 * sum(z.map((value, k) => (value - (q[k] ?? NaN)) ** 2))],
  ['l1(z, 0.1)', 0.1 * sum(z.map(abs))],
  ['elastic(z, 0.1, 0.4)', 0.1 * (0.4 * sum(z.map(abs)) + 0.3 * sum(z.map((value) => value ** 2)))],
  ['accuracy[k](z[k], 2 + 0 * label)', 1],
  ['accuracy[k](z[k], label)', 0],
  ['top_accuracy[k](z[k], label, top = 2)', 0],
  ['top_accuracy[k](z[k], label, top = 3)', 1],
  ['binary_accuracy(x, 1)', 1],
  ['binary_accuracy(x, 1, threshold = 0.8)', 0],
  ['min(max(log1p(x), 0), 6)', min(max(log1p(x), 0), 6)],
];

describe('functions of the prelude', () => {
  // one model with an output for each expression
  const outputs = cases.map(([expression], place) => `  output value_${place} = ${expression}`);
  const inputs = ['x', 'y', 'z[4]', 'q[4]', 'w[4]', 'label: 4'].map((input) => `  input ${input}`);
  const { models, diagnostics } = elaborateText(['model M {', ...inputs, ...outputs, '}'].join('\n'));
  const program = models[0]?.program;

  it('elaborate to a valid program', () => {
    expect(
      diagnostics.list.map(
        ({ message, span }) => `${message}: ${span.source.text.slice(span.start, span.end)}`,
      ),
    ).toEqual([]);
    expect(program && validate(program)).toEqual([]);
  });

  const tensors = { x: [x], y: [y], z, q, w, label: [label] };
  const values = program && diagnostics.list.length === 0 ? interpret(program, { tensors }) : undefined;
  it.each(cases.map(([expression, value], place) => [expression, value, place] as const))(
    '%s is %f',
    (_expression, expected, place) => {
      expect(values?.get(`value_${place}`)?.[0]).toBeCloseTo(expected, 12);
    },
  );
});

describe('layers of the prelude', () => {
  it('dense, glu and prelu take any number of leading axes', () => {
    const { models, diagnostics } = elaborateText(`model M {
      input x[2, 3, 4]
      output a = x |> dense(2)
      output b = x |> glu
      output c = x |> prelu(slope = 0.5)
    }`);
    expect(diagnostics.list.map(({ message }) => message)).toEqual([]);
    const program = models[0]?.program;
    expect(program && validate(program)).toEqual([]);
    expect(program?.tensors.get('a_W')).toMatchObject({ role: 'parameter', axes: [4, 2] });
    const at = Float64Array.from({ length: 24 }, (_, i) => i - 12);
    const tensors = { x: at, a_W: [1, 0, 0, 1, 1, 0, 0, 1], a_b: [10, 20], c_a: [0.5, 0.5, 0.5, 1] };
    const values = program && interpret(program, { tensors });
    expect([...(values?.get('a') ?? [])].slice(0, 2)).toEqual([-12 - 10 + 10, -11 - 9 + 20]);
    expect(values?.get('b')?.[0]).toBeCloseTo(-12 * sigmoid(-10), 12);
    expect(values?.get('b')).toHaveLength(12);
    expect([...(values?.get('c') ?? [])].slice(0, 4)).toEqual([-6, -5.5, -5, -9]);
    expect(values?.get('c')?.[23]).toBe(11);
  });
});
