/** exp, tanh, erf and what is made of them in float32 modules: how far from the real ones, at every kind of number. */
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { runtimeText } from '../../compiler/cli/standalone.ts';
import { fastHelpers } from '../../compiler/emit/typescript/helpers.ts';
import { compile, type CompileOptions } from '../../compiler/index.ts';
import * as exact from '../../runtime/math.ts';

type Elementary = 'exp' | 'tanh' | 'erf' | 'sigmoid' | 'softplus';
type RealFunction = (x: number) => number;

const names: readonly Elementary[] = ['exp', 'tanh', 'erf', 'sigmoid', 'softplus'];

/** The functions as they stand in emitted files. */
function emitted(): Readonly<Record<Elementary, RealFunction>> {
  const text = names.map((name) => fastHelpers[name].text).join('\n');
  const { code } = transformSync(text, { loader: 'ts' });
  return new Function(`${code}; return { ${names.join(', ')} };`)() as Record<Elementary, RealFunction>;
}

const fast = emitted();
const real: Readonly<Record<Elementary, RealFunction>> = {
  exp: Math.exp,
  tanh: Math.tanh,
  erf: exact.erf,
  sigmoid: exact.sigmoid,
  softplus: exact.softplus,
};

/** Every float32 whose bits are a multiple of a prime: all exponents, both signs, subnormal numbers, infinities' neighbours. */
function* floats(step: number): Generator<number> {
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  for (let k = 0; k < 2 ** 32; k += step) {
    bits[0] = k;
    yield value[0]!;
  }
}

const range = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => from + ((to - from) * (k + 0.5)) / count);

/** The distance of two float32 numbers next to one another there, in the binade of `x`; subnormal numbers are 2^-149 apart. */
function unitAt(x: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -126);
  return 2 ** (exponent - 23);
}

describe('in float32 modules', () => {
  it.each([
    ['exp', 0.56],
    ['tanh', 0.53],
    ['erf', 0.54],
    ['sigmoid', 0.56],
    ['softplus', 0.56],
  ] as const)('%s is within %d units in the last place, for all of float32', (name, units) => {
    let worst = 0;
    for (const x of floats(49_999)) {
      const wanted = real[name](x);
      const got = fast[name](x);
      if (Number.isNaN(wanted) && Number.isNaN(got)) continue;
      if (Math.fround(wanted) === Math.fround(got)) continue;
      worst = Math.max(worst, Math.abs(Math.fround(got) - wanted) / unitAt(wanted));
    }
    expect(worst).toBeLessThanOrEqual(units);
  });

  it('exp is exact at 0, Infinity and 0 where float32 is, and nearly Math.exp where sums of doubles need it', () => {
    expect([fast.exp(0), fast.exp(Infinity), fast.exp(-Infinity)]).toEqual([1, Infinity, 0]);
    for (const x of [88.7228, 88.7229, 89, 120, 710, 1e6, -87.5, -103.9, -104.1, -200, -746, -1e30])
      expect(Math.fround(fast.exp(x)), String(x)).toBe(Math.fround(Math.exp(x)));
    const error = (x: number): number => Math.abs(fast.exp(x) / Math.exp(x) - 1);
    expect(Math.max(...range(-90, 90, 20_000).map(error))).toBeLessThan(2.4e-9);
    expect(Math.max(...range(-30, 30, 20_000).map(error))).toBeLessThan(2.5e-10);
    expect(Math.max(...range(-1, 1, 20_000).map(error))).toBeLessThan(1e-12);
  });

  it('tanh and erf reach 1 and never pass it', () => {
    for (const name of ['tanh', 'erf'] as const) {
      expect([fast[name](Infinity), fast[name](-Infinity), fast[name](0)]).toEqual([1, -1, 0]);
      const points = range(0.0001, 12, 20_000);
      expect(Math.max(...points.map((x) => Math.abs(fast[name](x))))).toBe(1);
      expect(points.every((x) => fast[name](-x) === -fast[name](x))).toBe(true);
    }
  });

  it('softplus is log 2 at 0, so that log cosh is 0 there', () => {
    expect(Math.abs(fast.softplus(0) - Math.LN2)).toBeLessThan(1e-14);
  });

  it('sigmoid and softplus keep their small values', () => {
    for (const x of [-80, -40, -20, -10]) {
      expect(Math.abs(fast.sigmoid(x) / exact.sigmoid(x) - 1)).toBeLessThan(2.4e-9);
      expect(Math.abs(fast.softplus(x) / exact.softplus(x) - 1)).toBeLessThan(4e-9);
    }
    expect([fast.softplus(1000), fast.softplus(-1000), fast.sigmoid(-1000), fast.sigmoid(1000)]).toEqual([
      1000, 0, 0, 1,
    ]);
  });

  it('gelu, of either form, is within 3e-8 |x|', () => {
    const gelu = (name: 'erf' | 'tanh', of: typeof fast, x: number): number =>
      0.5 *
      x *
      (1 + of[name](name === 'erf' ? x / Math.SQRT2 : Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    for (const name of ['erf', 'tanh'] as const) {
      const error = (x: number): number => Math.abs(gelu(name, fast, x) - gelu(name, real, x)) / Math.abs(x);
      expect(Math.max(...range(-12, 12, 20_000).map(error))).toBeLessThan(3e-8);
    }
  });
});

describe('which modules have them', () => {
  const text = `model M {
  input x[n, 3]
  param w[3] ~ zeros
  output y[n, i] = exp(sigmoid(x[n, i] * w[i])) + gelu(x[n, i]) + softplus(tanh(w[i]))
  loss = mean[n, i](y[n, i])
}`;
  const module = async (options: CompileOptions): Promise<string> =>
    (await compile({ path: 'm.dsl', text }, options)).modules[0]!.text;
  const own = /^function (exp|tanh|erf)\(/gm;

  it('float32 ones, unless they are told to be exact', async () => {
    expect((await module({})).match(own)).toHaveLength(3);
    expect(await module({})).not.toMatch(/Math\.(exp|tanh)|import .*\berf\b/);
    const builtIn = await module({ math: 'exact' });
    expect(builtIn).not.toMatch(own);
    expect(builtIn).toMatch(/import { erf, /);
    const without = new Set(['polynomials']);
    expect((await module({ without })).replace('--no-pass polynomials', '--math exact')).toBe(builtIn);
  });

  it('float64 ones never', async () => {
    expect(await module({ dtype: 'f64' })).not.toMatch(own);
    expect(await module({ dtype: 'f64', inference: true })).not.toMatch(own);
  });

  it('those that import nothing, each once', async () => {
    const alone = await module({ standalone: runtimeText() });
    for (const name of names)
      expect(alone.match(new RegExp(`^function ${name}\\(`, 'gm')), name).toHaveLength(1);
    expect(alone).not.toMatch(/^import/m);
  });
});
