/** `cotangent h[n, j] -> ...`: where it may stand, what is said where it makes no sense, how it is printed. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import { describeDiagnostic, modelOf } from './helpers.ts';

const model = (edit: string, around = ''): string => `${around}
model M {
  input x[n, 3]
  state s[3] ~ zeros
  random r[n, 3] ~ normal(0, 1)
  param W[3, 3] ~ ones
  param f[3] ~ ones
  z[n, j] = sum[i](x[n, i] * W[i, j]) + f[j]
  h[n, j] = tanh(z[n, j]) + s[j] * r[n, j]
  idle[n, j] = h[n, j] + 1
  flat[n, j] = z[n, j] > 0
  place[n] = argmax[j](h[n, j])
  given[n, i] = 2 * x[n, i]
  s'[i] = s[i] + 1
  ${edit}
  loss = mean[n, j](h[n, j]^2 * given[n, j] + flat[n, j])
  metric m = mean[n, j](idle[n, j] + place[n])
  train { freeze: [f] }
}`;

const errorsOf = (edit: string, around = ''): string[] =>
  analyse({ path: 'test.dsl', text: model(edit, around) })
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(describeDiagnostic);

const printed = (edit: string): string => {
  const text = printProgram(modelOf(model(edit)).program);
  const again = printProgram(modelOf(text).program);
  expect(again).toBe(text);
  return (
    text
      .split('\n')
      .find((line) => line.includes('cotangent'))
      ?.trim() ?? ''
  );
};

describe('an edit of a cotangent', () => {
  it('is printed as it was written, its reductions inside', () => {
    expect(printed('cotangent h[n, j] -> clip(dh[n, j], -1, 1)')).toBe(
      'cotangent h[n, j] -> dh[n, j] < -1 ? -1 : dh[n, j] > 1 ? 1 : dh[n, j]',
    );
    expect(printed('cotangent h[n, j] -> dh[n, j] * min(1, 1 / (sqrt(sum[k](dh[n, k]^2)) + 1e-6))')).toBe(
      'cotangent h[n, j] -> dh[n, j] * min(1, 1 / (sqrt(sum[k](dh[n, k]^2)) + 1e-6))',
    );
    expect(printed('cotangent h -> 0.5 * dh')).toBe('cotangent h[n, j] -> 0.5 * dh[n, j]');
    expect(printed('cotangent W[i, j] -> dW[i, j] + sum[k: 4](k)')).toBe(
      'cotangent W[i, j] -> dW[i, j] + sum[k: 4](k)',
    );
    expect(printed('cotangent W[i, j] -> max[a](dW[a, j] + sum[b: 3](dW[a, b] else 0))')).toBe(
      'cotangent W[i, j] -> max[a](dW[a, j] + sum[b: 3]((dW[a, b] else 0)))',
    );
    expect(printed('cotangent h[n, j] -> dh[n, j] / (1 + mean(h^2)) * n')).toMatch(
      /^cotangent h\[n, j\] -> dh\[n, j\] \/ \(1 \+ sum/,
    );
  });

  it('may stand before the statements that read the tensor', () => {
    expect(errorsOf('cotangent z[n, j] -> dz[n, j]')).toEqual([]);
  });

  it.each([
    ['an input', 'cotangent x -> dx', "E608 'x' `x` is an input, so no cotangent arrives at it"],
    ['a state', 'cotangent s -> ds', "E608 's' `s` is a state, so no cotangent arrives at it"],
    ['a draw', 'cotangent r -> dr', "E608 'r' `r` is drawn at random, so no cotangent arrives at it"],
    ['integers', 'cotangent place -> dplace', "E608 'place' `place` holds integers, which have no cotangent"],
    ['what there is not', 'cotangent hh -> dhh', "E201 'hh' there is no `hh` here"],
    ['a size', 'dim size = 3\n  cotangent size -> 1', "E608 'size' `size` is no tensor"],
    [
      'what is defined below',
      'cotangent later -> dlater\n  later = h',
      "E203 'later' `later` is used before its definition",
    ],
    [
      'a second time',
      'cotangent h -> dh\n  cotangent h -> dh',
      "E608 'h' the cotangent of `h` is edited twice",
    ],
    [
      'what the loss does not depend on',
      'cotangent idle -> didle',
      "E608 'cotangent idle -> didle' no cotangent arrives at `idle`, so there is none to edit",
    ],
    [
      'what nothing trained leads to',
      'cotangent given -> dgiven',
      "E608 'cotangent given -> dgiven' no cotangent arrives at `given`, so there is none to edit",
    ],
    [
      'what is frozen',
      'cotangent f -> df',
      "E608 'cotangent f -> df' no cotangent arrives at `f`, so there is none to edit",
    ],
    [
      'at other indices than its axes have',
      'cotangent h[n] -> dh[n, 0]',
      "E302 'h' `h` has the shape [n, 3], but 1 index is given",
    ],
    ['at a number in the place of an index', 'cotangent h[n, 0] -> 0', 'E102'],
    ['to another shape', 'cotangent h -> W', 'E307'],
    ['to one value of a tensor for all elements', 'cotangent h -> sum(dh)', 'E307'],
    [
      'to the place of an extreme',
      'cotangent h[n, j] -> argmax[k](dh[n, k]) + 0',
      "E608 'argmax[k](dh[n, k]) + 0' the place of an extreme cannot be taken of a cotangent",
    ],
    [
      'by a derivative inside of it',
      'cotangent h[n, j] -> grad(z[n, j], z[n, j])',
      "E608 'grad(z[n, j], z[n, j])' a derivative cannot be taken inside of an edit",
    ],
    ['by what there is not', 'cotangent h[n, j] -> dz[n, j]', "E201 'dz' there is no `dz` here"],
    ['outside of its axes', 'cotangent h[n, j] -> dh[n, j + 1]', "E403 'j + 1' "],
  ])('is not of %s', (_, edit, error) => {
    const errors = errorsOf(edit);
    expect(errors.map((each) => each.slice(0, error.length))).toEqual([error]);
  });

  it('of what only a step leads away from tells why nothing arrives', () => {
    const text = `model M {
      param w[3] ~ ones
      z = 2 * w
      cotangent z -> dz
      loss = sum(w * (z > 0))
    }`;
    const { diagnostics } = analyse({ path: 'test.dsl', text });
    const [error, ...others] = diagnostics;
    expect(others).toEqual([]);
    expect(error?.message).toBe('no cotangent arrives at `z`, so there is none to edit');
    expect(error?.hint).toBe(
      'only functions without a derivative lead from `z` to the loss; remove the statement, or edit the cotangent of another tensor',
    );
  });

  it('needs a loss', () => {
    const text = 'model M {\n input x[n]\n param w ~ 1\n output y[n] = x[n] * w\n cotangent y -> dy\n}';
    const { diagnostics } = analyse({ path: 'test.dsl', text });
    expect(diagnostics.map(describeDiagnostic)).toEqual([
      "E608 'cotangent y -> dy' model `M` has no loss, so no cotangent flows",
    ]);
  });

  it('in a layer is of what the layer computes', () => {
    const layer = (name: string) =>
      `layer l(a[.., i]) -> b[.., i] {\n b = 2 * a\n cotangent ${name} -> d${name}\n}`;
    expect(errorsOf('k = l(h)\n  output k', layer('a'))).toEqual(["E608 'a' `a` is given to this layer"]);
  });

  it('in a scan works at each step', () => {
    const text = (edit: string): string => `model M {
      input x[n, 4]
      param a ~ 1
      scan t {
        s[n, t] = a * (s[n, t - 1] else 0) + x[n, t]
      }
      ${edit}
      loss = mean(s)
    }`;
    const messages = (edit: string): string[] =>
      analyse({ path: 'test.dsl', text: text(edit) }).diagnostics.map(
        ({ code, message }) => `${code} ${message}`,
      );
    expect(messages('cotangent s[n, t] -> ds[n, t] / 2')).toEqual([]);
    for (const edit of ['ds[n, 3 - t]', 'ds[n, t] / sum[u](ds[n, u]^2)'])
      expect(messages(`cotangent s[n, t] -> ${edit}`)).toEqual([
        'E608 the cotangent of `s`, a tensor of a scan, arrives step by step',
      ]);
  });

  it('leaves models alone that call a tensor by its name', () => {
    const text =
      'model M {\n param w[3] ~ ones\n cotangent[i] = 2 * w[i]\n derivative = cotangent\n loss = sum(derivative)\n}';
    expect(modelOf(text).program.statements.map(({ target }) => target)).toEqual([
      'cotangent',
      'derivative',
      'loss_sum',
      'loss',
    ]);
  });
});
