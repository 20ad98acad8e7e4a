/**
 * The whole way down: a random program, prepared, differentiated, optimised, scheduled, emitted and run, gives the loss
 * and the gradients that the interpreter gives for the program as it was written.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { emitModule } from '../../compiler/emit/typescript/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { loadModule } from '../support/load.ts';
import { batchExtents, programs, randomTensors } from './programs.ts';

const ROWS = batchExtents['n']!;

function emitProgram(program: Program): string {
  const batch = 'n';
  return emitModule({
    model: { name: 'Random', program, batch },
    program,
    loops: schedule(program, { dtype: 'f64', batch }),
    groups: [],
    schedules: [],
    options: { runtime: 'chainrule/runtime', version: '0', hash: '', path: 'random.dsl' },
  });
}

/** Rows come first in the arrays that users hand in: the language asks for it. */
const rowsFirst = (program: Program): boolean =>
  [...program.tensors.values()].every(({ role, axes }) => role !== 'input' || axes.lastIndexOf('n') <= 0);

/** Elements that differ by more than rounding, given how large the numbers around are. */
function differences(got: ArrayLike<number>, want: Float64Array): string[] {
  const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return Array.from(want).flatMap((value, i) =>
    Math.abs(got[i]! - value) <= 1e-9 * scale || Object.is(got[i], value)
      ? []
      : [`[${i}] ${got[i]} != ${value}`],
  );
}

describe('emitted code computes what the program says', () => {
  it('loss and gradients of random programs', () => {
    fc.assert(
      fc.property(programs().filter(rowsFirst), fc.nat(1000), (program, seed) => {
        const tensors = randomTensors(program, seed);
        const given = { extents: batchExtents, tensors };
        const plain = differentiate(program, new Diagnostics());
        const wanted = interpret(plain, given);
        fc.pre(
          [...plain.gradients.values(), plain.loss!].every((name) =>
            wanted.get(name)!.every(Number.isFinite),
          ),
        );

        const optimised = optimise(differentiate(prepare(program), new Diagnostics()));
        expect(validate(optimised)).toEqual([]);
        const module = loadModule(emitProgram(optimised));
        const compiled = module.createProgram(ROWS);
        const { parameters } = module.description;
        for (const [name, values] of Object.entries(tensors)) compiled.inputs[name]?.set(values);
        for (const { name, offset } of parameters) compiled.parameters.set(tensors[name]!, offset);
        compiled.forward(ROWS);
        compiled.backward(ROWS);
        expect(differences(compiled.results, wanted.get(plain.loss!)!)).toEqual([]);
        for (const { name, offset, size } of parameters) {
          const gradient = plain.gradients.get(name);
          if (gradient === undefined) continue;
          const got = compiled.gradients.subarray(offset, offset + size);
          expect(differences(got, wanted.get(gradient)!), gradient).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });
});
