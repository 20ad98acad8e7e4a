import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { differentiate } from '../../compiler/calculus/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { choices } from '../../compiler/schedule/choices.ts';
import type { Choice } from '../../compiler/schedule/choices.ts';
import { batchExtents, programs, randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

/** What is left out of the schedule: mostly nothing, sometimes any of its choices. */
const leftOut = fc.oneof(
  fc.constant<Choice[]>([]),
  fc.subarray(Object.keys(choices).filter((name): name is Choice => name in choices)),
);

function expectSame(program: Program, seed: number, without: readonly Choice[]): void {
  const tensors = randomTensors(program, seed);
  // Sums are taken in another order: the error grows with what is summed, and the sines of large values enlarge it.
  const values = [...interpret(program, { tensors, extents: batchExtents }).values()].flatMap((each) => [
    ...each,
  ]);
  const size = Math.max(1, ...values.filter(Number.isFinite).map(Math.abs));
  const tolerance = 1e-12 * (size > 10 ? 100 * size * size : 1);
  // Nearly all of them are small enough to be written out: the others' loops are tried, too.
  const both: readonly (readonly Choice[])[] = [without, [...without, 'unroll']];
  for (const compared of both.flatMap((left) =>
    compareWithInterpreter(program, tensors, batchExtents, { without: new Set(left) }),
  )) {
    const { name, expected, got } = compared;
    expect(worstDifference(compared), `${name}: ${got.join(' ')} for ${expected.join(' ')}`).toBeLessThan(
      tolerance,
    );
  }
}

/** Every intermediate as an output: each is compared. */
function allShown(program: Program): Program {
  return { ...program, outputs: program.statements.map((statement) => statement.target) };
}

describe.each([
  { name: 'any', options: {} },
  { name: 'without a batch', options: { batch: false } },
  { name: 'with scatters and epilogues', options: { optimised: true } },
])('scheduled programs ($name) compute what the interpreter computes', ({ options }) => {
  it('loss and outputs', () => {
    fc.assert(
      fc.property(programs(options), fc.nat(1000), leftOut, (program, seed, without) => {
        expectSame(program, seed, without);
      }),
      { numRuns: 60 },
    );
  });

  it('every intermediate', () => {
    fc.assert(
      fc.property(programs(options), fc.nat(1000), leftOut, (program, seed, without) => {
        expectSame(allShown(program), seed, without);
      }),
    );
  });

  it.each(['inverted', 'scatter'] as const)('gradients in the %s form', (form) => {
    fc.assert(
      fc.property(
        programs({ ...options, smooth: true, optimised: false }),
        fc.nat(1000),
        leftOut,
        (program, seed, without) => {
          const diagnostics = new Diagnostics();
          expectSame(differentiate(program, diagnostics, { form }), seed, without);
        },
      ),
      { numRuns: 40 },
    );
  });
});
