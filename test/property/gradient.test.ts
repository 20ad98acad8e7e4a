import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import {
  alongGradient,
  directionalDerivative,
  finiteDifferences,
  gradientOf,
  gradientValues,
} from '../calculus/support.ts';
import { batchExtents, programs, randomTensors } from './programs.ts';

const seeds = fc.nat(1000);

/** How many values an evaluation computes: now and then one is too large for a quick test. */
function work(program: Program): number {
  const sizes = program.statements.map(({ indices }) =>
    indices.reduce((size, { extent }) => size * (typeof extent === 'number' ? extent : 3), 1),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function parametersOf(program: Program): string[] {
  return [...program.tensors.values()].filter(({ role }) => role === 'parameter').map(({ name }) => name);
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [element, value] of Array.from(expected).entries()) {
    const scale = Math.max(1, Math.abs(value));
    const difference = Object.is(actual[element], value) ? 0 : Math.abs((actual[element] ?? NaN) - value);
    expect(difference / scale, `element ${element}: ${actual[element]} against ${value}`).toBeLessThan(
      tolerance,
    );
  }
}

/** actual = Σ ⟨gradient, direction⟩, to within the rounding of the greatest term. */
function expectInnerProduct(
  actual: number,
  gradients: ReadonlyMap<string, Float64Array>,
  directions: Readonly<Record<string, Float64Array>>,
  tolerance: number,
): void {
  const terms = [...gradients].flatMap(([name, values]) =>
    Array.from(values, (value, element) => value * (directions[name]?.[element] ?? NaN)),
  );
  const scale = terms.reduce((sum, term) => sum + Math.abs(term), 1);
  expectClose([actual / scale], [terms.reduce((sum, term) => sum + term, 0) / scale], tolerance);
}

describe('the gradient of a random program', () => {
  it.each(['inverted', 'scatter'] as const)('is a program that keeps every rule of the graph: %s', (form) => {
    fc.assert(
      fc.property(programs(), (program) => {
        const diagnostics = new Diagnostics();
        const gradient = differentiate(program, diagnostics, { form });
        expect(diagnostics.list.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(validate(gradient)).toEqual([]);
        expect([...gradient.gradients.keys()]).toEqual(parametersOf(program));
      }),
      { numRuns: 100 },
    );
  });

  it('is the same in the inverted and in the scattered form', () => {
    fc.assert(
      fc.property(programs(), seeds, (program, seed) => {
        const tensors = randomTensors(program, seed);
        const inverted = gradientValues(gradientOf(program), tensors, batchExtents);
        const scattered = gradientValues(gradientOf(program, { form: 'scatter' }), tensors, batchExtents);
        for (const [name, values] of scattered) expectClose(inverted.get(name) ?? [], values, 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with finite differences', () => {
    let compared = 0;
    fc.assert(
      fc.property(programs({ smooth: true }), seeds, (program, seed) => {
        fc.pre(work(program) < 400);
        const tensors = randomTensors(program, seed);
        const gradients = gradientValues(gradientOf(program), tensors, batchExtents);
        for (const [name, values] of gradients) {
          for (const [element, slope] of finiteDifferences(program, name, tensors, batchExtents).entries()) {
            const scale = Math.max(1, Math.abs(slope.value));
            if (slope.error > 1e-4 * scale) continue; // so wild a function has no finite differences
            const allowed = 1e-8 * scale + slope.error;
            compared++;
            expect(Math.abs((values[element] ?? NaN) - slope.value)).toBeLessThan(allowed);
          }
        }
      }),
      { numRuns: 20 },
    );
    expect(compared).toBeGreaterThan(10);
  });

  it('agrees with forward mode', () => {
    fc.assert(
      fc.property(programs(), seeds, (program, seed) => {
        const tensors = randomTensors(program, seed);
        const directions = randomTensors(program, seed + 1);
        const names = parametersOf(program);
        const along = Object.fromEntries(names.map((name) => [name, directions[name] ?? []]));
        const gradients = gradientValues(gradientOf(program), tensors, batchExtents);
        let product = 0;
        for (const [name, values] of gradients)
          for (const [element, value] of values.entries())
            product += value * (directions[name]?.[element] ?? 0);
        expectClose([directionalDerivative(program, tensors, along, batchExtents)], [product], 1e-9);
      }),
      { numRuns: 50 },
    );
  });

  it('can be differentiated again: reverse over reverse is forward over reverse', () => {
    fc.assert(
      fc.property(programs({ smooth: true }), seeds, (program, seed) => {
        const along = alongGradient(gradientOf(program));
        const diagnostics = new Diagnostics();
        const second = differentiate(along, diagnostics);
        fc.pre(work(second) < 4000);
        expect(validate(second)).toEqual([]);
        const tensors = randomTensors(along, seed);
        const hessian = gradientValues(second, tensors, batchExtents);
        const directions = randomTensors(program, seed + 1);
        const only = Object.fromEntries(parametersOf(program).map((name) => [name, directions[name] ?? []]));
        const forward = directionalDerivative(along, tensors, only, batchExtents);
        expectInnerProduct(forward, hessian, directions, 1e-8);
      }),
      { numRuns: 12 },
    );
  });
});
