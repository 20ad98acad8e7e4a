/** Modules that look at values: `--checks` and `--trace`, each and both; their types are checked with the other golden files. */
import { describe, expect, it } from 'vitest';
import { compile, type CompileOptions } from '../../compiler/index.ts';

const model = `
model Observed {
  dim T = 3
  input x[n, T]
  input token[n]: 4
  param E[4]  ~ normal(0, 1)
  param w     ~ 1
  random keep[n] ~ bernoulli(0.5)
  state total ~ zeros

  a[n, t] = w * x[n, t] + E[token[n]]
  scan t {
    h[n, t] = keep[n] * log(softplus(a[n, t])) + 0.5 * (h[n, t - 1] else 0)
  }
  m[n, i: T, j: T] = j <= i ? h[n, i] * h[n, j] : -inf
  output p[n, i, j] = softmax[j](m[n, i, j])
  total' = 0.9 * total + 0.1 * mean[n, t](stop_gradient(h[n, t]))
  loss = mean[n, i, j](p[n, i, j]^2) + total^2
  train { optimizer: adam(rate = 1e-2), batch: 4, epochs: 1, seed: 1 }
}`;

const textOf = async (options: CompileOptions): Promise<string> => {
  const { diagnostics, modules } = await compile({ path: 'observed.dsl', text: model }, options);
  expect(diagnostics).toEqual([]);
  return modules[0]!.text;
};

describe('the emitted file', () => {
  it('with --checks is the committed one', async () => {
    await expect(await textOf({ checks: true })).toMatchFileSnapshot('./golden/checked.ts');
  });

  it('with --trace is the committed one', async () => {
    await expect(await textOf({ trace: true })).toMatchFileSnapshot('./golden/traced.ts');
  });

  it('has both, one after the other', async () => {
    const text = await textOf({ checks: true, trace: true });
    expect(text).toMatch(/checks\.check\('p'\);\n\s+trace\.emit\('p'\);/);
    expect(text).toContain('options: CheckOptions & TraceOptions<TraceName> = {}');
    expect(text).toContain('options: TrainerOptions & CheckOptions & TraceOptions<TraceName> = {}');
  });

  it('is the same text for the same model', async () => {
    expect(await textOf({ checks: true, trace: true })).toBe(await textOf({ checks: true, trace: true }));
  });
});
