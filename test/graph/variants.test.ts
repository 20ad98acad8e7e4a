/** Programs of two modes: they keep the rules of the graph, are printed so that they read back, and no pass mixes them. */
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import { nextValues, pinned } from '../../compiler/graph/results.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { passes, prepare } from '../../compiler/rewrite/index.ts';
import { modelOf } from '../model/helpers.ts';
import { givenValues } from '../prelude/support.ts';
import { compareWithInterpreter, worstDifference } from '../schedule/support.ts';
import { tensor } from './support.ts';

const models: Readonly<Record<string, string>> = {
  'a network with dropout and batch norm': `
    input x[5, 4]
    input t[5]: 3
    h = x |> dense(6) |> batch_norm |> relu |> dropout(0.2)
    z = h |> dense(3)
    output p = softmax(z)
    loss = mean[n](cross_entropy[k](z[n, k], t[n]))
    metric accuracy = mean[n](argmax[k](z[n, k]) == t[n])
    metric size = sum[i, j](h_dense_W[i, j]^2)`,
  'a variational autoencoder': `
    input x[5, 4]
    m = x |> dense(2)
    s = x |> dense(2)
    random eps[5, 2] ~ normal(0, 1)
    z = m + exp(s / 2) * eps
    output y = z |> dense(4)
    loss = sum((y - x)^2) - sum(1 + s - m^2 - exp(s)) / 2`,
  'next values that read one another': `
    input x[5, 4]
    param w[4] ~ ones
    state a[4] ~ zeros
    state count ~ zeros
    count' = count + 1
    a'[i] = a[i] + (mean[n](x[n, i]) - a[i]) / count'
    output y[n, i] = w[i] * (x[n, i] - a[i])
    loss = mean((training ? y : 2 * y)^2)`,
};

const cases = Object.entries(models).map(([name, body]) => ({
  name,
  program: modelOf(`model M {${body}\n}`).program,
}));

/** What users see of a program; metrics in the order of their names, since a printed program has another. */
function resultsOf(program: Program): string[] {
  const { loss = '', metrics, evaluation = { loss, metrics } } = program;
  const sorted = metrics.toSorted();
  return [
    ...program.outputs,
    loss,
    evaluation.loss ?? '',
    ...sorted,
    ...sorted.map((name) => evaluation.metrics[metrics.indexOf(name)] ?? ''),
    ...nextValues(program).values(),
  ];
}

function valuesOf(program: Program): number[][] {
  // variances must not be negative
  const squares = Object.fromEntries(
    Object.entries(givenValues(program)).map(([name, values]) => [
      name,
      program.tensors.get(name)?.role === 'state' ? Array.from(values, (value) => value * value) : values,
    ]),
  );
  const values = interpret(program, { tensors: squares });
  return resultsOf(program).map((name) => [...(values.get(name) ?? [])]);
}

function expectClose(got: readonly number[][], wanted: readonly number[][]): void {
  expect(got.map((list) => list.length)).toEqual(wanted.map((list) => list.length));
  for (const [k, list] of wanted.entries())
    for (const [i, value] of list.entries())
      expect(Math.abs(got[k]![i]! - value)).toBeLessThan(1e-9 * (1 + Math.abs(value)));
}

describe.each(cases)('$name', ({ program }) => {
  it('reads back from what is printed', () => {
    expectClose(valuesOf(modelOf(printProgram(program)).program), valuesOf(program));
  });

  it('keeps its results through every pass', () => {
    let current = differentiate(prepare(program), new Diagnostics());
    for (const pass of Object.values(passes)) {
      current = pass(current);
      expect(validate(current)).toEqual([]);
      expectClose(valuesOf(current), valuesOf(program));
    }
    expect([...pinned(current)].every((name) => current.tensors.has(name))).toBe(true);
  });

  it('has no gradient for states and draws', () => {
    const gradient = differentiate(program, new Diagnostics());
    const given = [...program.tensors.values()].filter(({ role }) => role === 'state' || role === 'random');
    expect(given.length).toBeGreaterThan(0);
    for (const { name } of given) expect(gradient.tensors.has(`d${name}`)).toBe(false);
  });

  it('is computed by its loops, each list by itself', () => {
    const gradient = differentiate(prepare(program), new Diagnostics());
    for (const compared of compareWithInterpreter(gradient, givenValues(program), {}))
      expect(worstDifference(compared), compared.name).toBeLessThan(1e-9);
  });
});

describe('the rules of the graph', () => {
  const problemsWith = (...tensors: Parameters<typeof tensor>[]): string[] => {
    const [{ program } = { program: undefined }] = cases;
    if (program === undefined) throw new Error('no program');
    const added = tensors.map((each) => tensor(...each));
    return validate({
      ...program,
      tensors: new Map([...program.tensors, ...added.map((t) => [t.name, t] as const)]),
    });
  };
  const normal = { kind: 'normal', mean: 0, deviation: 1 } as const;

  it('for draws', () => {
    expect(problemsWith(['u', 'random', [3], { distribution: normal }])).toEqual([]);
    expect(problemsWith(['u', 'random', [3]])).toEqual(['tensor u: a random tensor without a distribution']);
    expect(problemsWith(['u', 'input', [3], { distribution: normal }])).toEqual([
      'tensor u: input with a distribution',
    ]);
    expect(problemsWith(['u', 'random', [3, 'n'], { distribution: normal }])).toEqual([
      'tensor u: an axis of a random tensor that is open and not the first',
    ]);
  });

  it('for both variants of what is reported', () => {
    const { program } = cases[0]!;
    expect(validate({ ...program, evaluation: { loss: 'nothing', metrics: [] } })).toEqual([
      'loss nothing does not exist',
      '0 metrics in evaluation, 2 in training',
    ]);
  });
});
