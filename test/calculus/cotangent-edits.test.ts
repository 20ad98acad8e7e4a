/** `cotangent h -> ...`: what arrives at a tensor is edited before it flows on. */
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { differentiate } from '../../compiler/calculus/index.ts';
import { analyse } from '../../compiler/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram, printStatement } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { modelOf } from '../model/helpers.ts';
import { gradientValues } from './support.ts';

/** As differentiated with both forms, as optimised, and from the text of the elaborated program. */
function gradientsOf(text: string): Program[] {
  const { program } = modelOf(text);
  const again = modelOf(printProgram(program)).program;
  const edits = (text: string): string[] => text.split('\n').filter((each) => each.includes('cotangent'));
  expect(edits(printProgram(again))).toEqual(edits(printProgram(program)));
  const made = [
    differentiate(program, new Diagnostics()),
    differentiate(prepare(program), new Diagnostics(), { form: 'scatter' }),
    optimise(differentiate(prepare(program), new Diagnostics())),
    optimise(differentiate(prepare(again), new Diagnostics())),
  ];
  for (const each of made) {
    expect(validate(each)).toEqual([]);
    expect(each.edits).toBeUndefined();
  }
  return made;
}

function expectGradient(
  text: string,
  tensors: Readonly<Record<string, readonly number[]>>,
  name: string,
  expected: readonly number[],
): void {
  for (const each of gradientsOf(text)) {
    const values = gradientValues(each, tensors, { n: 2 }).get(name) ?? [];
    expect(values.length).toBe(expected.length);
    for (const [place, value] of [...values].entries()) expect(value).toBeCloseTo(expected[place] ?? NaN, 12);
  }
}

const backward = (text: string): string[] => {
  const program = optimise(differentiate(prepare(modelOf(text).program), new Diagnostics()));
  return program.statements
    .filter(({ phase }) => phase === 'backward')
    .map((statement) => printStatement(statement, program));
};

// dh = 2 (h - t), with h = x w: what arrives is 2 (3 - 0) = 6, 2 (-1 - 1) = -4, 2 (0.5 - 0.4) = 0.2
const line = (edit: string): string => `model M {
  input t[3]
  param w[3] ~ ones
  h[i] = w[i]
  ${edit}
  loss = sum[i]((h[i] - t[i])^2)
}`;
const given = { w: [3, -1, 0.5], t: [0, 1, 0.4] };

describe('an edit of a cotangent', () => {
  it('takes the place of what arrives: clipped by value', () => {
    expectGradient(line('cotangent h[i] -> clip(dh[i], -1, 1)'), given, 'w', [1, -1, 0.2]);
    expectGradient(line('cotangent h -> clip(dh, -1, 1)'), given, 'w', [1, -1, 0.2]);
  });

  it('reads reductions of what arrives: clipped by norm', () => {
    const norm = Math.hypot(6, -4, 0.2);
    const edit = 'cotangent h[i] -> dh[i] * min(1, 2 / sqrt(sum[k](dh[k]^2)))';
    expectGradient(
      line(edit),
      given,
      'w',
      [6, -4, 0.2].map((value) => (value * 2) / norm),
    );
    expectGradient(
      line('cotangent h[i] -> dh[i] - mean[k](dh[k]) + max[k](dh[k])'),
      given,
      'w',
      [6, -4, 0.2].map((value) => value - 2.2 / 3 + 6),
    );
  });

  describe('inside of a checkpoint', () => {
    const text = (mark: string, edit: string): string =>
      'layer twice(x[n]) -> y[n] {\n param w ~ 1\n a = tanh(x * w)\n b = 2 * a\n y = sin(a)\n' +
      ` cotangent ${edit}\n}\nmodel M {\n input x[n]\n ${mark}h = x |> twice\n loss = sum(h^2)\n}`;

    it('flows on as without', () => {
      const given = { x: [0.4, -0.3], h_w: [0.8] };
      const [plain] = gradientsOf(text('', 'a -> clip(da, -0.5, 0.5)'));
      const expected = gradientValues(plain!, given, { n: 2 }).get('h_w')!;
      expect(expected[0]).toBeGreaterThan(0.1);
      expectGradient(text('checkpoint ', 'a -> clip(da, -0.5, 0.5)'), given, 'h_w', [...expected]);
    });

    it('is an error where nothing arrives', () => {
      const { diagnostics } = analyse({ path: 'test.dsl', text: text('checkpoint ', 'b -> db') });
      expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual([
        'E608',
      ]);
    });
  });

  it('is of the next value of a state, too: in training', () => {
    const text =
      "model M {\n param w ~ 1\n state m ~ zeros\n m' = 0.9 * m + w\n cotangent m' -> 0.5 * dm'\n loss = m'^2\n}";
    expectGradient(text, { w: [3], m: [1] }, 'w', [3.9]);
  });

  it('reads other tensors of the model, also at other places, and indices', () => {
    expectGradient(line('cotangent h[i] -> i * dh[2 - i] + t[i] * h[i]'), given, 'w', [0, -4 - 1, 12 + 0.2]);
  });

  it('comes after the sum of all that arrives, whatever order the readers have', () => {
    const text = `model M {
      param a ~ 1
      param b ~ 1
      h = 3 * a
      cotangent h -> min(dh, 10)
      loss = 4 * h + h * b * 7
    }`;
    expectGradient(text, { a: [1], b: [1] }, 'a', [30]);
    expectGradient(text, { a: [1], b: [1] }, 'b', [21]);
  });

  it('may be of a parameter: its gradient is what flows on', () => {
    expectGradient(line('cotangent w[i] -> sign(dw[i])'), given, 'w', [1, -1, 1]);
  });

  it('edits what flows on into a further edit', () => {
    expectGradient(
      line('cotangent h[i] -> clip(dh[i], -1, 1)\n  cotangent w[i] -> 10 * dw[i] + h[i]'),
      given,
      'w',
      [13, -11, 2.5],
    );
  });

  it('does not touch the value', () => {
    const loss = (text: string): number | undefined =>
      interpret(modelOf(text).program, { tensors: given }).get('loss')?.[0];
    expect(loss(line('cotangent h -> 0'))).toBe(loss(line('')));
  });

  it('is not passed by where a formula is stabilised through the tensor', () => {
    // dp = -1/p = -e² - 1 at x = -2 flows through σ' = p (1 - p): -(1 - p) without the edit
    const text = (edit: string) =>
      `model M {\n param x ~ 1\n p = 1 / (1 + exp(-x))\n ${edit}\n loss = -log(p)\n}`;
    const p = 1 / (1 + Math.exp(2));
    expectGradient(text(''), { x: [-2] }, 'x', [-(1 - p)]);
    expectGradient(text('cotangent p -> max(dp, -1)'), { x: [-2] }, 'x', [-p * (1 - p)]);
  });

  it('is made step by step in a scan', () => {
    // s = a s + x. With a = 1 all ds would be 1, 2, 3; clipped at 1.5 at each step: ds = 1.5, 1.5, 1 from the first on
    const text = `model M {
      input x[3]
      param a ~ 1
      scan t {
        s[t] = a * (s[t - 1] else 0) + x[t]
      }
      cotangent s[t] -> min(ds[t], 1.5)
      loss = sum[t](s[t])
    }`;
    // da = Σ ds[t] s[t - 1] = 1.5 · 2 + 1 · 5
    expectGradient(text, { x: [2, 3, 4], a: [1] }, 'a', [1.5 * 2 + 1 * 5]);
  });

  it('is clipped by the norm of a row in a scan', () => {
    const model = (edit: string): string => `model M {
      input x[n, 4, 3]
      param U[3, 3] ~ orthogonal
      scan t {
        h[n, t, o] = tanh(x[n, t, o] + sum[p]((h[n, t - 1, p] else 0) * U[p, o]))
      }
      ${edit}
      loss = sum[n, t, o](h[n, t, o]^2)
    }`;
    const tensors = {
      x: Array.from({ length: 24 }, (_, k) => Math.sin(k)),
      U: Array.from({ length: 9 }, (_, k) => Math.cos(k)),
    };
    // the same by hand, last step first
    const at = (values: ArrayLike<number>, n: number, t: number, o: number): number =>
      values[(n * 4 + t) * 3 + o] ?? NaN;
    const h = interpret(modelOf(model('')).program, { tensors, extents: { n: 2 } }).get('h') ?? [];
    const U = (p: number, o: number): number => tensors.U[p * 3 + o] ?? NaN;
    const expected = Array.from({ length: 9 }, () => 0);
    const steps = [0, 1, 2];
    for (const n of [0, 1]) {
      let before = [0, 0, 0];
      for (const t of [3, 2, 1, 0]) {
        const raw = steps.map(
          (p) => 2 * at(h, n, t, p) + steps.reduce((sum, o) => sum + (before[o] ?? NaN) * U(p, o), 0),
        );
        const scale = Math.min(1, 0.5 / Math.hypot(...raw));
        before = raw.map((value, o) => value * scale * (1 - at(h, n, t, o) ** 2));
        if (t === 0) continue;
        for (const p of steps)
          for (const o of steps) expected[p * 3 + o]! += at(h, n, t - 1, p) * (before[o] ?? NaN);
      }
    }
    const edit = 'cotangent h[n, t, o] -> dh[n, t, o] * min(1, 0.5 / sqrt(sum[k](dh[n, t, k]^2)))';
    expectGradient(model(edit), tensors, 'U', expected);
  });

  it('stays a statement of its own under the name of the cotangent, in front of it what arrives', () => {
    const text = `model M {
      input x[n, 3]
      input t[n, 2]
      param W[3, 4] ~ ones
      param V[4, 2] ~ ones
      z[n, j] = sum[i](x[n, i] * W[i, j])
      h[n, j] = tanh(z[n, j])
      y[n, k] = sum[j](h[n, j] * V[j, k])
      cotangent h[n, j] -> dh[n, j] * min(1, 1 / sqrt(sum[k](dh[n, k]^2)))
      cotangent y[n, k] -> clip(dy[n, k], -1, 1)
      loss = sum[n, k](y[n, k] * t[n, k])
    }`;
    expect(backward(text)).toEqual([
      'dy[n, k] = t[n, k] < -1 ? -1 : t[n, k] > 1 ? 1 : t[n, k]',
      'dh_in[n, j] = sum[k](dy[n, k] * V[j, k])',
      'dV[j, k] = sum[n](h[n, j] * dy[n, k])',
      'dh_in_sum[n] = sum[k](dh_in[n, k]^2)',
      'dh[n, j] = dh_in[n, j] * min(1, 1 / sqrt(dh_in_sum[n]))',
      'dz[n, j] = dh[n, j] * (1 - h[n, j]^2)',
      'dW[i, j] = sum[n](x[n, i] * dz[n, j])',
    ]);
    const program = optimise(differentiate(prepare(modelOf(text).program), new Diagnostics()));
    const places = program.statements
      .filter(({ target }) => ['dy', 'dh_in_sum', 'dh', 'dz'].includes(target))
      .map(
        ({ target, origin: { span } }) =>
          `${target} ${span.source.text.slice(span.start, span.end).split(' ')[0]}`,
      );
    expect(places).toEqual(['dy cotangent', 'dh_in_sum cotangent', 'dh cotangent', 'dz h[n,']);
  });

  it('in a layer is of each call', () => {
    const text = `layer limited(x[i], limit) -> y[i] {
      y = 2 * x
      cotangent y[j] -> clip(dy[j], -limit, limit)
    }
    model M {
      input t[3]
      param w[3] ~ ones
      a = w |> limited(1) |> limited(0.5)
      loss = sum[i](a[i] * t[i])
    }`;
    // t = 0, 1, 0.4 → clip at 0.5: 0, 0.5, 0.4 → times 2, clip at 1: 0, 1, 0.8 → times 2
    expectGradient(text, given, 'w', [0, 2, 1.6]);
  });

  it('is of training alone, where a model has two modes', () => {
    const text = `model M {
      input x[n, 3]
      param w[3] ~ ones
      y[n, i] = training ? 3 * x[n, i] * w[i] : x[n, i] * w[i]
      output y
      cotangent y[n, i] -> clip(dy[n, i], -0.1, 0.1)
      loss = sum[n, i](y[n, i])
    }`;
    expectGradient(text, { x: [1, 2, 3, 4, 5, 6], w: [1, 1, 1] }, 'w', [1.5, 2.1, 2.7]);
    const { models, diagnostics } = analyse({ path: 'm.dsl', text }, { inference: true });
    expect(diagnostics).toEqual([]);
    expect(models[0]?.program.statements.map(({ target }) => target)).toEqual(['y']);
  });

  it('leaves derivatives that are terms of the model as they are', () => {
    const text = `model M {
      param w[3] ~ ones
      h[i] = 2 * w[i]
      cotangent h[i] -> 0 * dh[i] + 1
      e = sum[i](h[i]^2)
      output g[i] = grad(e, w[i])
      loss = e
    }`;
    const { models, diagnostics } = analyse({ path: 'm.dsl', text });
    expect(diagnostics).toEqual([]);
    const values = interpret(models[0]!.program, { tensors: { w: [1, 2, 3] } });
    expect([...(values.get('g') ?? [])]).toEqual([8, 16, 24]);
    expect([...(values.get('dw') ?? [])]).toEqual([2, 2, 2]);
  });

  it('may have a name in the model that the cotangent would have', () => {
    const text = `model M {
      param w[3] ~ ones
      dh[i] = 2 * w[i]
      h[i] = dh[i] * 1
      cotangent h[i] -> clip(dh[i], -1, 1)
      loss = sum[i](5 * h[i])
    }`;
    expectGradient(text, { w: [1, 1, 1] }, 'w', [2, 2, 2]);
  });
});
