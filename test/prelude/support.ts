/** Small models around one layer of the library: shapes, values by the interpreter, gradients against differences. */
import { expect } from 'vitest';
import { compile } from '../../compiler/index.ts';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { modelOf } from '../model/helpers.ts';
import { loadModule } from '../support/load.ts';

export type Values = Record<string, ArrayLike<number>>;

/** Numbers between -1 and 1 that are the same in every run (a linear congruential generator). */
export function numbers(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const countOf = (axes: readonly (number | string)[]): number =>
  axes.reduce<number>((product, extent) => product * Number(extent), 1);

/** The program of `y = ...`, with `around` before it: y is an output and the loss Σ probe · y. */
export function programOfLayer(
  around: string,
  call: string,
): { readonly program: Program; readonly text: string; readonly shape: readonly number[] } {
  const shape = modelOf(`model M {\n${around}\noutput y = ${call}\n}`).program.tensors.get('y')?.axes ?? [];
  const text = [
    'model M {',
    around,
    `input probe[${shape.join(', ')}]`,
    `output y = ${call}`,
    'loss = sum(probe * y)',
    '}',
  ].join('\n');
  return { program: modelOf(text).program, text, shape: shape.map(Number) };
}

/** A tensor of the same name has the same values in every program. */
const seedOf = (name: string): number =>
  [...name].reduce((seed, letter) => (31 * seed + letter.charCodeAt(0)) % 65521, 7);

/** Values for everything the program is given: integers run through their range, the rest is random. */
export function givenValues({ tensors }: Program, own: Values = {}): Values {
  const given = [...tensors.values()].filter(({ role }) => role !== 'intermediate');
  return Object.fromEntries(
    given.map(({ name, axes, range }) => {
      const random = numbers(countOf(axes), seedOf(name));
      const { least, greatest } = range ?? { least: 0, greatest: 0 };
      const whole = random.map((value) => least + Math.floor(((value + 1) / 2) * (greatest - least + 1)));
      return [name, own[name] ?? (range === undefined ? random : whole)];
    }),
  );
}

export function valueOf(around: string, call: string, own: Values = {}): number[] {
  const { program } = programOfLayer(around, call);
  return [...(interpret(program, { tensors: givenValues(program, own) }).get('y') ?? [])];
}

/**
 * The derivative of the loss in a random direction of all parameters, by the gradient program (as differentiated, and
 * optimised) and by central differences extrapolated to step 0.
 */
export function expectRightGradient(program: Program): void {
  const diagnostics = new Diagnostics();
  const gradient = differentiate(prepare(program), diagnostics);
  expect(diagnostics.list).toEqual([]);
  const tensors = givenValues(program);
  const names = [...gradient.gradients.keys()];
  const direction = new Map(names.map((name, k) => [name, numbers(tensors[name]?.length ?? 0, 1000 + k)]));
  const loss = (step: number): number => {
    const moved = Object.fromEntries(
      names.map((name) => [
        name,
        Array.from(tensors[name] ?? [], (value, i) => value + step * (direction.get(name)?.[i] ?? NaN)),
      ]),
    );
    return interpret(program, { tensors: { ...tensors, ...moved } }).get('loss')?.[0] ?? NaN;
  };
  const slope = (step: number): number => (loss(step) - loss(-step)) / (2 * step);
  const wanted = (4 * slope(5e-5) - slope(1e-4)) / 3;
  for (const made of [gradient, optimise(gradient)]) {
    expect(validate(made)).toEqual([]);
    const values = interpret(made, { tensors });
    let got = 0;
    for (const [name, cotangent] of made.gradients)
      for (const [i, value] of (values.get(cotangent) ?? []).entries())
        got += value * (direction.get(name)?.[i] ?? NaN);
    expect(Math.abs(got - wanted)).toBeLessThan(1e-6 * (1 + Math.abs(wanted)));
  }
}

/** The gradients that emitted code gives in float64 are those of the interpreted gradient program. */
export async function expectEmittedGradient(around: string, call: string): Promise<void> {
  const { program, text } = programOfLayer(around, call);
  const { modules } = await compile({ path: 'test.dsl', text }, { dtype: 'f64', format: false });
  const trainer = loadModule(modules[0]?.text ?? '').createTrainer({ batch: 1 });
  const tensors = givenValues(program);
  const gradient = differentiate(prepare(program), new Diagnostics());
  const values = interpret(gradient, { tensors });
  const given = (role: 'input' | 'parameter'): Values =>
    Object.fromEntries(
      [...program.tensors.values()]
        .filter((tensor) => tensor.role === role)
        .map(({ name }) => [name, tensors[name] ?? []]),
    );
  trainer.setWeights(given('parameter'));
  const { loss } = trainer.gradientsOnBatch(given('input'));
  expect(loss).toBeCloseTo(values.get('loss')?.[0] ?? NaN, 10);
  for (const [name, got] of Object.entries(trainer.getGradients())) {
    const wanted = values.get(gradient.gradients.get(name) ?? '') ?? [];
    expect(got).toHaveLength(wanted.length);
    for (const [i, value] of [...got].entries()) expect(value).toBeCloseTo(wanted[i] ?? NaN, 9);
  }
}
