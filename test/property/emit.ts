/** From a program to the emitted module, without a text; and what that computes, against the interpreter. */
import { expect } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { emitModule } from '../../compiler/emit/typescript/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { gradientOf, gradientValues } from '../calculus/support.ts';
import type { EmittedModule } from '../support/load.ts';
import { loadModule } from '../support/load.ts';
import { batchExtents, span } from './programs.ts';

export type Tensors = Readonly<Record<string, Float64Array>>;

/** @param without choices of the scheduler that are left out */
export function emittedProgram(
  program: Program,
  dtype: 'f32' | 'f64',
  without: ReadonlySet<string> = new Set(),
): EmittedModule {
  const batch = 'n';
  const text = emitModule({
    model: { name: 'Random', program, batch, names: [], span },
    program,
    loops: schedule(program, { dtype, batch, without }),
    groups: [],
    schedules: [],
    options: {
      runtime: 'chainrule/runtime',
      version: '0',
      hash: '',
      path: 'random.dsl',
      without: [...without],
    },
  });
  return loadModule(text);
}

/** Elements that differ by more than `tolerance`, relative to the largest number around. */
export function differences(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): string[] {
  const values = Array.from(want);
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  if (got.length !== values.length) return [`${got.length} elements, not ${values.length}`];
  return values.flatMap((value, i) =>
    Math.abs((got[i] ?? NaN) - value) <= tolerance * scale ? [] : [`[${i}] ${got[i]} != ${value}`],
  );
}

/** Loss and gradients of the emitted code are those of the program as it was written. */
export function expectEmitted(program: Program, tensors: Tensors): void {
  const optimised = optimise(differentiate(prepare(program), new Diagnostics()));
  expect(validate(optimised)).toEqual([]);
  const { n } = batchExtents as { n: number };
  const { description, createProgram } = emittedProgram(optimised, 'f64');
  const running = createProgram(n + 1);
  for (const [name, values] of Object.entries(tensors)) running.inputs[name]?.set(values);
  for (const { name, offset } of description.parameters) running.parameters.set(tensors[name] ?? [], offset);
  running.forward(n, 0, 0);
  running.backward(n);
  const wanted = interpret(program, { extents: batchExtents, tensors }).get(program.loss ?? '') ?? [];
  expect(differences(running.results.subarray(0, 1), wanted, 1e-9), 'loss').toEqual([]);
  const gradients = gradientValues(gradientOf(program), tensors, batchExtents);
  for (const { name, offset, size } of description.parameters) {
    if (!optimised.gradients.has(name)) continue;
    const got = running.gradients.subarray(offset, offset + size);
    expect(differences(got, gradients.get(name) ?? [], 1e-9), `gradient of ${name}`).toEqual([]);
  }
}

/** Halves only: maxima tie, kinks are met. */
export function coarse(program: Program, tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const isWhole = program.tensors.get(name)?.element === 'integer';
      return [name, isWhole ? values : values.map((value) => Math.round(2 * value) / 2)];
    }),
  );
}

/** The scattered form is right by construction: what is inverted must be the same. */
export function expectInvertedIsScattered(program: Program, tensors: Tensors): void {
  const [inverted, scattered] = (['inverted', 'scatter'] as const).map((form) => {
    const gradient = gradientOf(program, { form });
    expect(validate(gradient)).toEqual([]);
    return gradientValues(gradient, tensors, batchExtents);
  });
  for (const [name, values] of scattered ?? [])
    expect(differences(inverted?.get(name) ?? [], values, 1e-11), name).toEqual([]);
}
