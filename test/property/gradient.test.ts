import fc from 'fast-check';
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
      { numRuns: 150 },
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
      { numRuns: 100 },
    );
  });

  it('agrees with finite differences', () => {
    fc.assert(
      fc.property(programs({ smooth: true }), seeds, (program, seed) => {
        const tensors = randomTensors(program, seed);
        const gradients = gradientValues(gradientOf(program), tensors, batchExtents);
        for (const [name, values] of gradients) {
          for (const [element, slope] of finiteDifferences(program, name, tensors, batchExtents).entries()) {
            const allowed = 1e-8 * Math.max(1, Math.abs(slope.value)) + slope.error;
            expect(Math.abs((values[element] ?? NaN) - slope.value)).toBeLessThan(allowed);
          }
        }
      }),
      { numRuns: 40 },
    );
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
      { numRuns: 80 },
    );
  });

  it('can be differentiated again: reverse over reverse is forward over reverse', () => {
    fc.assert(
      fc.property(programs({ smooth: true }), seeds, (program, seed) => {
        const along = alongGradient(gradientOf(program));
        const diagnostics = new Diagnostics();
        const second = differentiate(along, diagnostics);
        expect(validate(second)).toEqual([]);
        const tensors = randomTensors(along, seed);
        const hessian = gradientValues(second, tensors, batchExtents);
        const directions = randomTensors(program, seed + 1);
        let product = 0;
        for (const [name, values] of hessian)
          for (const [element, value] of values.entries())
            product += value * (directions[name]?.[element] ?? 0);
        const only = Object.fromEntries(parametersOf(program).map((name) => [name, directions[name] ?? []]));
        expectClose([directionalDerivative(along, tensors, only, batchExtents)], [product], 1e-8);
      }),
      { numRuns: 20 },
    );
  });
});
