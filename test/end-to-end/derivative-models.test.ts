/**
 * Models that ask for derivatives and edit cotangents: what is printed after any pass is read back, and any pass, number type
 * or form of the module gives the same numbers.
 */
import { describe, expect, it } from 'vitest';
import { runtimeText } from '../../compiler/cli/standalone.ts';
import { emitGradient } from '../../compiler/emit/dsl.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { compile, switchable, textbookGradient } from '../../compiler/index.ts';
import type { CompileOptions } from '../../compiler/index.ts';
import { differences, modelsOf, namesOf, resultsOf } from '../oracle/read-back.ts';
import { loadModule } from '../support/load.ts';

const models: Readonly<Record<string, string>> = {
  'rows that mix, and a bias that no derivative sees': `
  input x[n, 2]
  param w[2] ~ ones
  param b ~ 0.5
  a[n] = sin(sum[i](x[n, i] * w[i]))
  z[n] = (a[n] - (training ? mean[m](a[m]) : 0.5))^2 + b
  output g[n, i] = grad(z[n], x[n, i])
  loss = mean[n](sum[i](g[n, i]^2))`,
  'derivatives of derivatives, and along a direction': `
  input x[n, 2]
  input y[n]
  param W[2, 3] ~ glorot_uniform
  param v[3] ~ glorot_uniform
  checkpoint h[n, j] = tanh(sum[i](x[n, i] * W[i, j]))
  f[n] = sum[j](softplus(h[n, j]) * v[j])
  output H[n, i, j] = grad(grad(f[n], x[n, i]), x[n, j])
  error = mean[n]((f[n] - y[n])^2)
  output Hv = jvp(grad(error, W), W = W, v = 1)
  J = jacobian(h, x)
  loss = error + mean(J^2) + sum(Hv^2)`,
  'an edited cotangent beside the derivative of a recurrence': `
  input x[n, 3, 2]
  param W[2, 2] ~ glorot_uniform
  param U[2, 2] ~ glorot_uniform
  scan t {
    h[n, t: 3, o] = tanh(sum[i](x[n, t, i] * W[i, o]) + sum[p]((h[n, t - 1, p] else 0) * U[p, o]))
  }
  s[n] = sum[o](h[n, 2, o]^2)
  output g = grad(s, x)
  u[n, t, o] = 2 * h[n, t, o]
  cotangent h[n, t, o] -> clip(dh[n, t, o], -0.2, 0.2)
  cotangent W -> dW * min(1, 1 / (sqrt(sum[i, o](dW[i, o]^2)) + 1e-6))
  loss = mean[n](s[n]) + mean(g^2) + mean(u^2)`,
};

const names = Object.keys(models);
const rows = 3;
const textOf = (name: string): string => `model Tested {${models[name]}\n}\n`;
const wave = (length: number, phase: number): number[] =>
  Array.from({ length }, (_, k) => Math.sin(1.7 * k + phase));

/** Of every tensor that is given. */
function givenTo({ tensors }: Program): Map<string, number[]> {
  return new Map(
    [...tensors.values()]
      .filter(({ role }) => role !== 'intermediate')
      .map(({ name, axes, role }) => {
        const size = axes.reduce<number>((all, each) => all * (each === 'n' ? rows : Number(each)), 1);
        return [name, role === 'state' ? Array.from({ length: size }, () => 1.5) : wave(size, name.length)];
      }),
  );
}

interface Results {
  readonly loss: number;
  readonly all: ReadonlyMap<string, readonly number[]>;
}

async function resultsWith(name: string, options: CompileOptions): Promise<Results> {
  const { modules } = await compile({ path: 'model.dsl', text: textOf(name) }, { format: false, ...options });
  const trainer = loadModule(modules[0]!.text).createTrainer({ batch: rows, seed: 1 });
  const { inputs, parameters } = trainer.description;
  const size = (shape: readonly number[]): number => shape.reduce((all, each) => all * each, 1);
  const data = Object.fromEntries(inputs.map((each) => [each.name, wave(rows * size(each.shape), 1)]));
  trainer.setWeights(Object.fromEntries(parameters.map((each) => [each.name, wave(size(each.shape), 2)])));
  const { loss = NaN } = trainer.gradientsOnBatch(data);
  const found = { ...trainer.getGradients(), ...trainer.predict(data) };
  return { loss, all: new Map(Object.entries(found).map(([key, array]) => [key, Array.from(array)])) };
}

function expectClose(found: Results, wanted: Results, within: number): void {
  expect(Math.abs(found.loss - wanted.loss)).toBeLessThanOrEqual(within * Math.abs(wanted.loss));
  expect([...found.all.keys()]).toEqual([...wanted.all.keys()]);
  for (const [key, values] of wanted.all) {
    const largest = Math.max(...values.map(Math.abs), 1e-2);
    const off = values.map((value, k) => Math.abs(value - found.all.get(key)![k]!));
    expect(Math.max(...off), key).toBeLessThanOrEqual(within * largest);
  }
}

describe.each(names)('%s', (name) => {
  const model = modelsOf(textOf(name))[0]!;

  it('is printed, after any pass, as a model that computes the same', () => {
    // the last run of each pass that changed something
    const changing = model.stages.filter(({ program }, k) => program !== model.stages[k - 1]?.program);
    const stages = [...new Map(changing.map((stage) => [stage.pass, stage])).values()];
    expect(stages.some(({ pass }) => pass === 'derive')).toBe(true);
    const texts = stages.map(({ pass, program }) => ({ pass, program, text: printProgram(program) }));
    const gradient = textbookGradient(model);
    texts.push({ pass: 'the gradient', program: gradient, text: emitGradient(gradient) });
    const given = givenTo(model.program);
    const expected = resultsOf(model.program, given, rows, namesOf(model.program));
    for (const { pass, program, text } of texts) {
      const [again] = modelsOf(text);
      const wanted = namesOf(program);
      const found = resultsOf(again!.program, given, rows, wanted);
      const known = new Map([...expected].filter(([key]) => wanted.includes(key)));
      expect(known.size, pass).toBeGreaterThan(1);
      expect(differences(known, found), pass).toEqual([]);
    }
  });

  it('gives the same numbers without any one pass', async () => {
    const wanted = await resultsWith(name, { dtype: 'f64' });
    for (const each of switchable)
      expectClose(await resultsWith(name, { dtype: 'f64', without: new Set([each]) }), wanted, 1e-10);
  });

  it('gives the same numbers in float32, and with the runtime inside', async () => {
    const wanted = await resultsWith(name, { dtype: 'f64' });
    expectClose(await resultsWith(name, { dtype: 'f32' }), wanted, 1e-4);
    expectClose(await resultsWith(name, { dtype: 'f64', standalone: runtimeText() }), wanted, 0);
  });
});
