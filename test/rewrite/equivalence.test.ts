/** Every pass keeps the value of every tensor that it keeps, and the rules of the graph. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { differentiate } from '../../compiler/calculus/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import { validate } from '../../compiler/graph/validate.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { optimise, passes, prepare } from '../../compiler/rewrite/index.ts';
import { pinned } from '../../compiler/rewrite/dead.ts';
import { batchExtents, programs, randomTensors } from '../property/programs.ts';

const runs = Number(process.env['CHAINRULE_RUNS'] ?? 12);

/** The largest relative difference over all tensors that both programs must have; where one has inf or NaN, so must the other. */
function expectSameValues(before: Program, after: Program, seed: number): void {
  expect(validate(after), printProgram(after)).toEqual([]);
  const tensors = randomTensors(before, seed);
  const expected = interpret(before, { extents: batchExtents, tensors });
  const actual = interpret(after, { extents: batchExtents, tensors });
  for (const [name, nameAfter] of survivors(before, after)) {
    const wanted = [...(expected.get(name) ?? [])];
    // A parameter that the loss does not depend on (u^0 is 1) has no gradient: it is zero.
    const found = nameAfter === undefined ? wanted.map(() => 0) : (actual.get(nameAfter) ?? []);
    expect(found.length).toBe(wanted.length);
    for (const [place, value] of wanted.entries()) {
      const other = found[place] ?? NaN;
      if (!Number.isFinite(value)) continue; // a stable form may have a value where the plain one has none
      const error = Math.abs(other - value) / (1 + Math.abs(value));
      expect(error, `${name}[${place}]: ${value} became ${other}\n${printProgram(after)}`).toBeLessThan(1e-8);
    }
  }
}

/** What must survive, under its name in both programs; gradients belong to their parameters. */
function survivors(before: Program, after: Program): [string, string | undefined][] {
  const gradients = [...before.gradients].map(([parameter, name]): [string, string | undefined] => [
    name,
    after.gradients.get(parameter),
  ]);
  const others = [...pinned({ ...before, gradients: new Map() })];
  return [...others.map((name): [string, string] => [name, name]), ...gradients];
}

describe('each pass keeps the value of random programs', () => {
  for (const [name, pass] of Object.entries(passes)) {
    test(name, () => {
      fc.assert(
        fc.property(programs(), fc.nat(1e6), (program, seed) => {
          expectSameValues(program, pass(program), seed);
        }),
        { numRuns: runs, seed: 1 },
      );
    });
    test(`${name}, of what later passes make`, () => {
      fc.assert(
        fc.property(programs({ optimised: true }), fc.nat(1e6), (program, seed) => {
          expectSameValues(program, pass(program), seed);
        }),
        { numRuns: runs, seed: 2 },
      );
    });
  }
});

test('preparing and optimising keep the loss and every gradient', () => {
  fc.assert(
    fc.property(programs({ smooth: true }), fc.nat(1e6), (program, seed) => {
      const plain = differentiate(program, new Diagnostics());
      const prepared = prepare(program);
      expectSameValues(program, prepared, seed);
      const rewritten = differentiate(prepared, new Diagnostics());
      expectSameValues(plain, rewritten, seed);
      expectSameValues(plain, optimise(rewritten), seed);
    }),
    { numRuns: runs, seed: 3 },
  );
});

test('passes are deterministic', () => {
  fc.assert(
    fc.property(programs(), (program) => {
      const once = optimise(differentiate(prepare(program), new Diagnostics()));
      const again = optimise(differentiate(prepare(program), new Diagnostics()));
      expect(printProgram(once)).toBe(printProgram(again));
    }),
    { numRuns: 10, seed: 4 },
  );
});
