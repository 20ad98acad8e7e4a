/**
 * Windows of every kind: the gradient agrees with finite differences, with its scattered form, and in the emitted code
 * with the interpreter. Strides that divide and that do not, windows wider and narrower than their step, windows that lie
 * outside, places that repeat, axes of one element.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { reads } from '../../compiler/graph/expressions.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { finiteDifferences, gradientOf, gradientValues } from '../calculus/support.ts';
import { modelOf } from '../model/helpers.ts';
import { coarse, expectEmitted, expectInvertedIsScattered } from './emit.ts';
import type { Tensors } from './emit.ts';
import { batchExtents, randomTensors } from './programs.ts';
import { windowModels } from './windows.ts';

/** How many slopes were compared: where a kink is near, there is none. */
function expectFiniteDifferences(program: Program, tensors: Tensors): number {
  let compared = 0;
  for (const [name, values] of gradientValues(gradientOf(program), tensors, batchExtents)) {
    for (const [element, slope] of finiteDifferences(program, name, tensors, batchExtents).entries()) {
      const scale = Math.max(1, Math.abs(slope.value));
      if (slope.error > 1e-5 * scale) continue;
      compared++;
      const difference = Math.abs((values[element] ?? NaN) - slope.value);
      expect(difference, `d${name}[${element}]`).toBeLessThan(1e-7 * scale + slope.error);
    }
  }
  return compared;
}

/** A window may lie outside of all it reads: then a parameter may not matter. */
function dependsOnAll(program: Program): boolean {
  const diagnostics = new Diagnostics();
  differentiate(program, diagnostics);
  return diagnostics.list.length === 0 && program.statements.some(({ body }) => reads(body).length > 0);
}

const seeds = fc.nat(1000);

describe('random models of windows', () => {
  it('have the same gradient inverted and scattered', () => {
    fc.assert(
      fc.property(windowModels(), seeds, (text, seed) => {
        const { program } = modelOf(text);
        fc.pre(dependsOnAll(program));
        expectInvertedIsScattered(program, coarse(program, randomTensors(program, seed)));
      }),
      { numRuns: 30 },
    );
  });

  it('have the gradient of finite differences', () => {
    let compared = 0;
    fc.assert(
      fc.property(windowModels({ smooth: true }), seeds, (text, seed) => {
        const { program } = modelOf(text);
        fc.pre(dependsOnAll(program));
        compared += expectFiniteDifferences(program, randomTensors(program, seed));
      }),
      { numRuns: 12 },
    );
    expect(compared).toBeGreaterThan(80);
  });

  it.each(['apart', 'tied'])('are emitted as they are interpreted, values %s', (kind) => {
    fc.assert(
      fc.property(windowModels(), seeds, (text, seed) => {
        const { program } = modelOf(text);
        fc.pre(dependsOnAll(program));
        const tensors = randomTensors(program, seed);
        expectEmitted(program, kind === 'tied' ? coarse(program, tensors) : tensors);
      }),
      { numRuns: 20 },
    );
  });
});
