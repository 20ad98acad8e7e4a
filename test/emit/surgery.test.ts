/** The emitted module of a model with a rule of its own and edited cotangents: what is done stands where a reader looks. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';
import { loadModule } from '../support/load.ts';

const text = `fn binarise(w) = w > 0 ? 1 : -1
derivative binarise(w) = abs(w) <= 1 ? 1 : 0

model Surgery {
  input x[n, 2]
  input t[n]
  param W[2, 3] ~ glorot_uniform
  param v[3]    ~ glorot_uniform

  h[n, j] = tanh(sum[i](x[n, i] * binarise(W[i, j])))
  y[n]    = sum[j](h[n, j] * v[j])
  cotangent h[n, j] -> dh[n, j] * min(1, 1 / (sqrt(sum[k](dh[n, k]^2)) + 1e-6))
  cotangent v[j]    -> clip(dv[j], -1, 1)

  loss = sum[n]((y[n] - t[n])^2)
}
`;

const source = { path: 'surgery.dsl', text };

describe('the emitted module', () => {
  it('is the committed one', async () => {
    const { modules, diagnostics } = await compile(source);
    expect(diagnostics).toEqual([]);
    await expect(modules[0]?.text).toMatchFileSnapshot('./golden/surgery.ts');
  });

  it('has the edit as a formula of its own, with the line of the text where it stands', async () => {
    const { modules } = await compile(source);
    const formulas = modules[0]?.text.match(/^ *\/\/ dh\w*\[.*$/gm) ?? [];
    expect(formulas.map((line) => line.trim().replace(/ {2,}/g, '  '))).toEqual([
      '// dh_in_sum[n] = sum[k]((dy[n] * v[k])^2)  surgery.dsl:12',
      '// dh[n, j] = dy[n] * v[j] * min(1, 1 / (sqrt(dh_in_sum[n]) + 1e-6))  surgery.dsl:12',
      '// dh_sum[n, j] = dh[n, j] * (1 - h[n, j]^2)  surgery.dsl:10',
    ]);
  });

  it('computes what the formulas say', async () => {
    const { modules } = await compile(source, { dtype: 'f64' });
    const trainer = loadModule(modules[0]?.text ?? '').createTrainer({ batch: 2 });
    const [x, t] = [
      [0.4, -0.3, 1.2, 0.7],
      [3, -2],
    ];
    const W = [0.5, -2, 1.5, -0.1, 0.3, -0.9];
    const v = [0.6, -0.8, 1.1];
    trainer.setWeights({ W, v });
    trainer.gradientsOnBatch({ x, t });
    const { W: gotW, v: gotV } = trainer.getGradients();

    const dW = W.map(() => 0);
    const dv = v.map(() => 0);
    for (const n of [0, 1]) {
      const row = [x[2 * n]!, x[2 * n + 1]!];
      const sign = (i: number, j: number): number => (W[3 * i + j]! > 0 ? 1 : -1);
      const h = v.map((_, j) => Math.tanh(row[0]! * sign(0, j) + row[1]! * sign(1, j)));
      const dy = 2 * (h.reduce((sum, value, j) => sum + value * v[j]!, 0) - t[n]!);
      const raw = v.map((value) => dy * value);
      const scale = Math.min(1, 1 / (Math.hypot(...raw) + 1e-6));
      for (const [j, value] of h.entries()) {
        dv[j]! += dy * value;
        for (const i of [0, 1])
          if (Math.abs(W[3 * i + j]!) <= 1) dW[3 * i + j]! += raw[j]! * scale * (1 - value ** 2) * row[i]!;
      }
    }
    for (const [k, value] of dW.entries()) expect(gotW?.[k]).toBeCloseTo(value, 12);
    for (const [k, value] of dv.entries())
      expect(gotV?.[k]).toBeCloseTo(Math.max(-1, Math.min(1, value)), 12);
  });
});
