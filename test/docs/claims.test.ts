import { beforeAll, describe, expect, it } from 'vitest';
import { analyse, compile } from '../../compiler/index.ts';
import { loadModule } from '../support/load.ts';

/** Formulas in w, a value of w, and the derivative there that docs/LANGUAGE.md promises. */
const kinks: readonly (readonly [string, number, number])[] = [
  ['relu(w)', 0, 0],
  ['abs(w)', 0, 0],
  ['max(w, 2)', 2, 0],
  ['min(w, 2)', 2, 0],
  ['max(w, v)', 3, 0.5],
  ['min(w, v)', 3, 0.5],
  ['clip(w, 1, 3)', 1, 1],
  ['clip(w, 1, 3)', 3, 1],
  ['leaky_relu(w)', 0, 0.01],
  ['elu(w, alpha = 0.5)', 0, 0.5],
  ['celu(w)', 0, 1],
  ['relu6(w)', 0, 0],
  ['relu6(w)', 6, 0],
  ['hard_sigmoid(w)', -3, 0],
  ['hard_sigmoid(w)', 3, 0],
  ['sqrt(w)', 0, Infinity],
  ['floor(w) + ceil(w) + round(w) + sign(w) + (w > 2) + 0 * w', 2, 0],
  ['stop_gradient(w) * w', 2, 2],
  ['w > 0 ? w : log(w)', 1, 1],
  ['w > 0 ? log(w) : w', -1, 1],
];

describe('derivatives at kinks and ties', () => {
  let gradients: Record<string, ArrayLike<number>> = {};

  beforeAll(async () => {
    const named = kinks.map(([formula], place) => formula.replaceAll(/\bw\b/g, `w${place}`));
    const text = [
      'model Kinks {',
      '  input v',
      '  param first[3]  ~ [1, 1, 0]',
      '  param last[3]   ~ [0, 1, 1]',
      '  param norm[2]   ~ zeros',
      '  param factor[3] ~ [0, 2, 3]',
      ...kinks.map(([, at], place) => `  param w${place} ~ ${at}`),
      '  a = max[k](first[k]) + min[k](-last[k]) + sqrt(sum[k](norm[k]^2)) + prod[k](factor[k])',
      `  loss = a + ${named.map((formula) => `(${formula})`).join(' + ')}`,
      '}',
    ].join('\n');
    const { modules, diagnostics } = await compile(
      { path: 'kinks.dsl', text },
      { dtype: 'f64', format: false },
    );
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const trainer = loadModule(modules[0]?.text ?? '').createTrainer();
    trainer.gradientsOnBatch({ v: [3] });
    gradients = trainer.getGradients();
  });

  it.each(kinks.map(([formula, at, slope], place) => ({ formula, at, slope, place })))(
    '$formula at $at has the derivative $slope',
    ({ slope, place }) => {
      expect(gradients[`w${place}`]?.[0]).toBeCloseTo(slope, 12);
    },
  );

  it('gives the gradient of equal extremes to the first', () => {
    expect(Array.from(gradients['first'] ?? [])).toEqual([1, 0, 0]);
    expect(Array.from(gradients['last'] ?? [])).toEqual([0, -1, 0]);
  });

  it('is zero for a norm at zero, and right for a product with a zero', () => {
    expect(Array.from(gradients['norm'] ?? [])).toEqual([0, 0]);
    expect(Array.from(gradients['factor'] ?? [])).toEqual([6, 0, 0]);
  });
});

describe('names of the parameters of layers', () => {
  it.each([
    ['h = x |> dense(64)', 'h_W h_b'],
    ['h = x |> dense(64) |> relu |> dense(10)', 'h_dense1_W h_dense1_b h_dense2_W h_dense2_b'],
    ['h = x |> dense(64) |> prelu', 'h_dense_W h_dense_b h_prelu_a'],
  ])('%s makes %s', (statement, names) => {
    const text = `model M {\n  input x[n, 4]\n  ${statement}\n  loss = mean(h^2)\n}\n`;
    const [analysed] = analyse({ path: 'm.dsl', text }).models;
    const tensors = [...(analysed?.model.program.tensors.values() ?? [])];
    const parameters = tensors.filter(({ role }) => role === 'parameter').map(({ name }) => name);
    expect(parameters.join(' ')).toBe(names);
  });
});

describe('an exact quotient', () => {
  it('is outside where it is not whole', async () => {
    const text = 'model M {\n  input x[n, 2]\n  output y[n, i: 4] = x[n, exact((i - 1) / 2)] else -1\n}\n';
    const { modules } = await compile({ path: 'm.dsl', text }, { format: false });
    const { y } = loadModule(modules[0]?.text ?? '')
      .createTrainer()
      .predict({ x: [5, 7] });
    expect(Array.from(y ?? [])).toEqual([-1, 5, -1, 7]);
  });
});
