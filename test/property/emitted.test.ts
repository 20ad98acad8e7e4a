/**
 * The whole way down: a random program, prepared, differentiated, optimised, scheduled, emitted and run, gives the loss
 * and the gradients that the interpreter gives for the program as it was written: in both element types, at ties, and for
 * batches of several sizes on the same arrays.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { choices } from '../../compiler/schedule/choices.ts';
import { differences, emittedProgram } from './emit.ts';
import { programs, randomTensors } from './programs.ts';

type Tensors = Record<string, Float64Array>;

interface Variant {
  readonly name: string;
  readonly dtype: 'f32' | 'f64';
  /** The batches, one after the other on the same arrays: what a larger one leaves must not be seen in a smaller. */
  readonly batches: readonly number[];
  readonly smooth: boolean;
  /** Halves only: ties of maxima, zeros, kinks. */
  readonly coarse: boolean;
  readonly programs: number;
}

const variants: readonly Variant[] = [
  { name: 'float64', dtype: 'f64', batches: [3], smooth: false, coarse: false, programs: 30 },
  {
    name: 'smaller batches after larger ones',
    dtype: 'f64',
    batches: [5, 1, 4, 2],
    smooth: false,
    coarse: false,
    programs: 25,
  },
  { name: 'ties and zeros', dtype: 'f64', batches: [4, 1], smooth: false, coarse: true, programs: 25 },
  { name: 'float32', dtype: 'f32', batches: [3, 1], smooth: true, coarse: false, programs: 25 },
];

/** How far rounding carries: relative to the size of the values, of which larger ones than `largest` are not tried. */
const rounding = { f64: { tolerance: 1e-9, largest: 1e3 }, f32: { tolerance: 2e-4, largest: 30 } } as const;

/** Rows come first in the arrays that users hand in: the language asks for it. */
const rowsFirst = (program: Program): boolean =>
  [...program.tensors.values()].every(({ role, axes }) => role !== 'input' || axes.lastIndexOf('n') <= 0);

function valuesFor(program: Program, seed: number, n: number, { coarse, dtype }: Variant): Tensors {
  const tensors = randomTensors(program, seed, { n });
  return Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const isWhole = program.tensors.get(name)?.element === 'integer';
      const chosen = coarse && !isWhole ? values.map((value) => Math.round(2 * value) / 2) : values;
      return [name, dtype === 'f32' ? chosen.map(Math.fround) : chosen];
    }),
  );
}

function expectSame(
  program: Program,
  seed: number,
  variant: Variant,
  without: ReadonlySet<string> = new Set(),
): void {
  const plain = differentiate(program, new Diagnostics());
  const optimised = optimise(differentiate(prepare(program), new Diagnostics()));
  expect(validate(optimised)).toEqual([]);
  const module = emittedProgram(optimised, variant.dtype, without);
  const compiled = module.createProgram(Math.max(...variant.batches));
  const { tolerance, largest } = rounding[variant.dtype];
  for (const n of variant.batches) {
    const tensors = valuesFor(program, seed + n, n, variant);
    const wanted = interpret(plain, { extents: { n }, tensors });
    // The sine of a large number is as good as random.
    if (![...wanted.values()].every((values) => values.every((value) => Math.abs(value) < largest))) continue;
    for (const [name, values] of Object.entries(tensors)) compiled.inputs[name]?.set(values);
    for (const { name, offset } of module.description.parameters)
      compiled.parameters.set(tensors[name]!, offset);
    compiled.forward(n, 0, 0);
    compiled.backward(n);
    expect(differences(compiled.results, wanted.get(plain.loss!)!, tolerance), `loss of ${n} rows`).toEqual(
      [],
    );
    for (const { name, offset, size } of module.description.parameters) {
      // A parameter of which nothing is left has no gradient: the compiler tells the user.
      const gradient = optimised.gradients.has(name) ? plain.gradients.get(name) : undefined;
      if (gradient === undefined) continue;
      const got = compiled.gradients.subarray(offset, offset + size);
      expect(differences(got, wanted.get(gradient)!, tolerance), `${gradient} of ${n} rows`).toEqual([]);
    }
  }
}

describe('emitted code computes what the program says: loss and gradients of random programs', () => {
  it.each(variants)('$name', (variant) => {
    fc.assert(
      fc.property(
        programs({ smooth: variant.smooth }).filter(rowsFirst),
        fc.nat(1000),
        // nearly all of them are small enough to be written out
        fc.constantFrom(['unroll'], []),
        (program, seed, without) => expectSame(program, seed, variant, new Set(without)),
      ),
      { numRuns: variant.programs },
    );
  });

  it.each(['f64', 'f32'] as const)('%s, whatever the scheduler leaves out', (dtype) => {
    const smooth = dtype === 'f32';
    const variant: Variant = { name: dtype, dtype, batches: [4, 1], smooth, coarse: false, programs: 30 };
    fc.assert(
      fc.property(
        programs({ smooth }).filter(rowsFirst),
        fc.nat(1000),
        fc.subarray(Object.keys(choices)),
        (program, seed, without) => expectSame(program, seed, variant, new Set(without)),
      ),
      { numRuns: variant.programs },
    );
  });
});
