/** What `compile check` says of right gradients that are not easy to compare, and of wrong ones. */
import { describe, expect, it } from 'vitest';
import { unaryDerivatives } from '../../compiler/calculus/unary.ts';
import { forms } from '../../compiler/calculus/sweep.ts';
import { constant, multiply, negate } from '../../compiler/graph/expressions.ts';
import { withEntry } from './planting.ts';
import { checkModel } from '../../compiler/check/index.ts';
import { analysed, check, loadHere, type Given } from './support.ts';

const model = (...lines: readonly string[]): string =>
  `model Small {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

/** Every feature that makes a comparison difficult, in few numbers. */
const difficult: Readonly<Record<string, string>> = {
  'kinks: relu and max pooling': model(
    'input x[n, 6, 6, 1]',
    'a = x |> conv2d(3, size = 3, pad = 1) |> relu |> max_pool2d(2)',
    'z = a |> flatten |> dense(4)',
    'loss = mean[n](sum[k](abs(z[n, k] - k)))',
  ),
  'jumps: floor and comparisons': model(
    'input x[n]',
    'param w ~ ones',
    'y[n] = floor(3 * w * x[n]) + (w * x[n] > 0.5) + w^2 * x[n]',
    'loss = mean[n](y[n]^2)',
  ),
  'draws: dropout': model(
    'input x[n, 8]',
    'z = x |> dense(6) |> dropout(0.5) |> dense(2)',
    'loss = mean[n](sum[k](z[n, k]^2))',
  ),
  'states: batch norm': model(
    'input x[n, 4]',
    'z = x |> dense(5) |> batch_norm |> tanh |> dense(2)',
    'loss = mean[n](sum[k]((z[n, k] - k)^2))',
  ),
  'a recurrence': model('input x[n, 5, 3]', 'h = x |> gru(4)', 'loss = mean[n](sum[k](h[n, 4, k]^2))'),
  'a checkpoint': model(
    'input x[n, 4]',
    'checkpoint h = x |> swiglu_small',
    'loss = mean[n](sum[k](h[n, k]^2))',
  ).replace(
    'model',
    'layer swiglu_small(x[n, i]) -> y[n, i] {\n  a = x |> dense(6) |> tanh\n  y = a |> dense(i)\n}\n\nmodel',
  ),
  'attention, whose keys have biases of gradient 0': model(
    'input x[n, 4, 6]',
    'y = x |> multi_head_attention(heads = 2)',
    'loss = mean[n](sum[t, d](y[n, t, d]^2))',
  ),
  'an embedding': model(
    'input token[n, 5]: 7',
    'e = token |> embedding(7, 3)',
    'loss = mean[n](sum[t, d](sin(e[n, t, d]) * (1 + d)))',
  ),
  'no open dimension': model('param w[3] ~ zeros', 'loss = sum[i]((w[i] - i)^2)'),
  'a frozen parameter': model(
    'input x[n]',
    'param a ~ ones',
    'param b ~ ones',
    'loss = mean[n]((a * x[n] + b)^2)',
    'train { freeze: [a], optimizer: sgd(rate = 0.1) }',
  ),
  'data that must be positive': model(
    'input x[n]',
    'param w ~ ones',
    'loss = mean[n](w * log(x[n]) * x[n]^w)',
  ),
};

describe('a right gradient', () => {
  it.each(Object.entries(difficult))('%s', async (_, text) => {
    const { report, diagnostics } = await check(text);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(report?.ok).toBe(true);
  });

  it('is drawn where the loss is finite, and the report says how', async () => {
    const { report } = await check(difficult['data that must be positive'] ?? '');
    expect(report?.data).toBe('random data between 0.05 and 0.95');
  });

  it('has no row for what is frozen', async () => {
    const { report } = await check(difficult['a frozen parameter'] ?? '');
    expect(report?.parameters.map(({ name }) => name)).toEqual(['b']);
  });

  it('of a straight-through estimator is that of the loss with stopped values held', async () => {
    const text = model(
      'input x[n, 3]',
      'param w[3] ~ ones',
      'u[n, i] = w[i] * x[n, i]',
      'q[n, i] = u[n, i] + stop_gradient(round(u[n, i]) - u[n, i])',
      'loss = mean[n](sum[i]((q[n, i] - 0.3)^2))',
    );
    const { report, diagnostics } = await check(text);
    expect(diagnostics).toEqual([]);
    expect(report?.remarks).toEqual([
      'stop_gradient: the differences are those of the loss with what it holds',
    ]);
  });
});

describe('a gradient that is edited by a derivative of its own', () => {
  it('is that of the loss with the function held', async () => {
    const text = `fn step(x) = round(x)\nderivative step(x) = 1 + x / 4\n\n${model(
      'input x[n, 3]',
      'param w[3] ~ ones',
      'loss = mean[n](sum[i]((step(w[i] * x[n, i]) - 0.3)^2))',
    )}`;
    const { report, diagnostics } = await check(text);
    expect(diagnostics).toEqual([]);
    expect(report?.ok).toBe(true);
    expect(report?.remarks).toEqual([
      'the derivative that the model gives for `step` is taken at its word: it is not held against differences of `step`',
    ]);
  });
});

describe('a gradient whose cotangent is edited', () => {
  const text = model(
    'input x[n, 3]',
    'param w[3] ~ ones',
    'param b ~ ones',
    'h[n, i] = tanh(w[i] * x[n, i])',
    'cotangent h[n, i] -> clip(dh[n, i], -0.01, 0.01)',
    'loss = mean[n](sum[i]((h[n, i] + b)^2))',
  );

  it('is right if it is without the edit, and the report says so', async () => {
    const { report, diagnostics } = await check(text);
    expect(diagnostics).toEqual([]);
    expect(report?.parameters.map(({ name, ok }) => [name, ok])).toEqual([
      ['w', true],
      ['b', true],
    ]);
    expect(report?.remarks).toEqual([
      'A cotangent is edited on its way to w: differences and forward mode prove the gradient without the edit.',
    ]);
  });

  it('is proved upstream of the edit, too', async () => {
    const rule = unaryDerivatives.tanh;
    if (rule === 'zero') throw new Error('tanh has a derivative');
    const wrong: typeof rule = (x, y) => negate(rule(x, y));
    const { report, diagnostics } = await withEntry(unaryDerivatives, 'tanh', wrong, () => check(text));
    expect(report?.parameters.map(({ name, ok }) => [name, ok])).toEqual([
      ['w', false],
      ['b', true],
    ]);
    expect(diagnostics.map(({ message }) => message.slice(0, 64))).toEqual([
      'the gradient of `w` is wrong, also without the edit of cotangent',
    ]);
  });
});

const network = model(
  'input x[n, 4]',
  'param W[4, 5] ~ normal(0, 1)',
  'param V[5, 3] ~ normal(0, 1)',
  'h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))',
  'z[n, k] = sum[j](h[n, j] * V[j, k])',
  'loss = mean[n](sum[k](z[n, k]^2))',
);

describe('a wrong gradient', () => {
  it('by a factor of 1 + 1e-4 in one derivative: named with its element, what it is and should be', async () => {
    const rule = unaryDerivatives.tanh;
    if (rule === 'zero') throw new Error('tanh has a derivative');
    const wrong: typeof rule = (x, y) => multiply(constant(1 + 1e-4), rule(x, y));
    const { report, diagnostics } = await withEntry(unaryDerivatives, 'tanh', wrong, () => check(network));
    expect(report?.parameters.map(({ name, ok }) => [name, ok])).toEqual([
      ['W', false],
      ['V', true],
    ]);
    const worst = report?.parameters[0]?.worst;
    expect(worst?.name).toMatch(/^W\[[0-3], [0-4]\]$/);
    expect((worst?.gradient ?? 0) / (worst?.expected ?? 1)).toBeCloseTo(1 + 1e-4, 6);
    expect(diagnostics.map(({ code, message }) => [code, message.slice(0, 30)])).toEqual([
      ['E801', 'the gradient of `W` is wrong: '],
    ]);
    expect(report?.parameters[0]).toMatchObject({ from: 'model.dsl:5', declared: 'model.dsl:3' });
  });

  it('in a single element is found, and it is that element', async () => {
    const { inverted } = forms;
    // dV[j, k] is right but where j = 2, k = 1
    const wrong: typeof inverted = (term, context) => {
      const made = inverted(term, context);
      if (made === undefined || term.read.tensor !== 'V') return made;
      const [j, k] = made.write;
      if (j === undefined || k === undefined) return made;
      const is = (at: typeof j, value: number) =>
        ({
          kind: 'binary',
          operator: 'equal',
          left: { kind: 'index_value', index: at },
          right: constant(value),
        }) as const;
      const here = { kind: 'binary', operator: 'and', left: is(j, 2), right: is(k, 1) } as const;
      const body = {
        kind: 'select',
        condition: here,
        then: multiply(constant(1.01), made.body),
        otherwise: made.body,
      } as const;
      return { ...made, body };
    };
    const { report } = await withEntry(forms, 'inverted', wrong, () => check(network));
    expect(report?.parameters.map(({ ok, worst }) => [ok, worst?.name])).toEqual([
      [true, undefined],
      [false, 'V[2, 1]'],
    ]);
    expect(report?.parameters[1]?.proofs).toMatchObject({
      differences: { ok: false },
      forward: { ok: false },
      scatter: { ok: false },
      float32: { ok: true },
    });
  });
});

describe('a loss that is wrong in float32 alone', () => {
  it('is an error', async () => {
    // the emitted text, with a fault in it
    const load = (text: string): ReturnType<typeof loadHere> =>
      loadHere(
        text.includes('Float32Array')
          ? text.replace('function softplus(x: number): number {', '$& return 1;')
          : text,
      );
    const text = model('input x[n]', 'param w ~ ones', 'loss = mean[n](softplus(w * x[n]))');
    const { diagnostics, report } = await checkModel(analysed(text), 'model.dsl', { load });
    expect(diagnostics.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the emitted loss is 1 in float32, and 0\.89\d+ in float64$/),
    ]);
    expect(report?.ok).toBe(false);
  });
});

describe('a gradient of which float32 keeps few digits', () => {
  const text = model(
    'input x[n, 4]',
    'input label[n]: 3',
    'h = x |> dense(5) |> batch_norm |> tanh',
    'z = h |> dense(3)',
    'loss = mean[n](cross_entropy[k](z[n, k], label[n]))',
    'train { optimizer: adam(rate = 1e-2), freeze: ["z_*"] }',
  );
  // of two rows a batch norm makes +1 and -1, whatever they are
  const data = { name: 'two rows', arrays: { x: [1, 2, 3, 4, 2, 3, 4, 5], label: [0, 1] } };

  it('is right where that is so of any program', async () => {
    const { report, diagnostics } = await check(text, { data });
    expect(diagnostics).toEqual([]);
    const [weights] = report?.parameters ?? [];
    expect(weights?.proofs.float32).toMatchObject({ ok: true, cancels: true });
    expect(report?.remarks.join()).toContain('few digits');
  });

  it('is right where it is 0 but for rounding, as that of a bias before a batch norm', async () => {
    const { report, diagnostics } = await check(text, { rows: 2, seed: 3 });
    expect(diagnostics).toEqual([]);
    const [, bias] = report?.parameters ?? [];
    expect(bias?.name).toBe('h_dense_b');
    expect(bias?.proofs).toMatchObject({ differences: { vanishes: true }, forward: { vanishes: true } });
  });
});

describe('the seed', () => {
  it('decides everything', async () => {
    const options: Given = { seed: 7 };
    const [first, second, other] = await Promise.all([
      check(network, options),
      check(network, options),
      check(network, { seed: 8 }),
    ]);
    expect(first).toEqual(second);
    expect(other?.report?.loss).not.toBe(first?.report?.loss);
  });
});

it('takes enough rows for every block of the kernels, and leaves some over', async () => {
  const { report } = await check(model('input x[n]', 'param w ~ ones', 'loss = mean[n]((w * x[n])^2)'));
  expect(report?.rows).toBe(2 * 16 + 5);
});
