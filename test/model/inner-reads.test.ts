/** Reads between the brackets of a read: `E[name[n, t - 1], d] else 0`, `t > 0 ? E[name[n, t - 1], d] : 0`. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { expectEmittedGradient, expectRightGradient, programOfLayer } from '../prelude/support.ts';
import { describeDiagnostic, errorOf, lines, programOf, statementsOf } from './helpers.ts';

const valueOf = (body: string, tensors: Record<string, readonly number[]>): number[] => [
  ...(interpret(programOf(body), { tensors }).get('y') ?? []),
];

const text = 'input name[4]: 3\ninput E[3]\n';
const given = { name: [2, 0, 1, 2], E: [10, 20, 30] };

describe('a read between the brackets of a read', () => {
  it.each([
    ['with else behind the whole', 'y[t: 4] = E[name[t - 1]] else 7', [7, 30, 10, 20]],
    ['at both ends', 'y[t: 7] = E[name[t - 2]] else -1', [-1, -1, 30, 10, 20, 30, -1]],
    ['where a condition keeps it inside', 'y[t: 4] = t > 0 ? E[name[t - 1]] : 7', [7, 30, 10, 20]],
    ['in arithmetic', 'y[t: 4] = E[2 - name[t - 1]] else 7', [7, 10, 30, 20]],
    ['in a reduction', 'y[t: 4] = sum[u: 2](E[name[t - u]] else 0)', [30, 40, 30, 50]],
    ['in a read in a read', 'y[t: 4] = E[name[name[t - 1]]] else 7', [7, 20, 30, 10]],
    ['as a number', 'y[t: 4] = t > 0 ? name[t - 1] : 7', [7, 2, 0, 1]],
  ])('%s', (_, statement, wanted) => {
    expect(valueOf(`${text}output ${statement}`, given)).toEqual(wanted);
  });

  it('is at a remainder in the program, which is a place for every index, and the choice is around it', () => {
    expect(statementsOf(`${text}output y[t: 4] = E[name[t - 1]] else 7`)).toEqual([
      'y[t: 4] = t >= 1 and t < 5 ? E[name[mod(t - 1, 4)]] else 7 : 7',
    ]);
  });

  it('that is never outside costs nothing', () => {
    const program = optimise(prepare(programOf(`${text}output y[t: 3] = E[name[t + 1]] else 7`)));
    expect(lines(program)).toEqual(['y[t: 3] = E[name[t + 1]]']);
  });

  it('is the element that is meant, for every length, step and shift', () => {
    const cases = fc.record({
      length: fc.integer({ min: 1, max: 5 }),
      places: fc.integer({ min: 1, max: 9 }),
      step: fc.integer({ min: -2, max: 3 }),
      shift: fc.integer({ min: -6, max: 6 }),
    });
    const property = fc.property(cases, ({ length, places, step, shift }) => {
      const name = Array.from({ length }, (_, t) => (5 * t + 2) % 3);
      const program = programOf(
        `input name[${length}]: 3\ninput E[3]\noutput y[i: ${places}] = E[name[${step} * i + ${shift}]] else 7`,
      );
      const wanted = Array.from({ length: places }, (_, i) => given.E[name[step * i + shift] ?? 3] ?? 7);
      for (const made of [program, optimise(prepare(program))])
        expect([...(interpret(made, { tensors: { name, E: given.E } }).get('y') ?? [])]).toEqual(wanted);
    });
    fc.assert(property, { seed: 11, numRuns: 150 });
  });

  it.each([
    ['with else', 'a[t: 5, d] = E[name[t - 1], d] else 0'],
    ['under a condition', 'a[t: 5, d] = t > 0 ? E[name[t - 1], d] : 0'],
    ['in a window', 'a[t: 5, d] = sum[u: 3]((E[name[t + u - 1], d] else 0) * K[u])'],
    [
      'in a recurrence',
      'scan t { a[t: 5, d] = tanh(0.5 * (a[t - 1, d] else 0) + (E[name[t - 2], d] else 0)) }',
    ],
  ])('has the gradient of the elements that are read: %s', async (_, statement) => {
    const around = `input name[5]: 4\ninput place[5]: 3\nparam E[4, 3] ~ zeros\nparam K[3] ~ ones\n${statement}`;
    const call = 'tanh(a) * sum[u](K[u])';
    expectRightGradient(programOfLayer(around, call).program);
    await expectEmittedGradient(around, call);
  });
});

describe('it is an error', () => {
  it('to read outside where neither an else nor a condition says otherwise', () => {
    const error = errorOf(`${text}output y[t: 4] = E[name[t - 1]]`);
    expect(describeDiagnostic(error)).toBe(
      "E403 't - 1' this index runs from -1 to 2, but axis 1 of `name` has places 0 to 3",
    );
  });

  it('also under a condition that does not keep it inside', () => {
    expect(errorOf(`${text}output y[t: 4] = t > 0 ? E[name[t - 2]] : 0`).code).toBe('E403');
  });

  it('of the open dimension, whose end is not known', () => {
    const error = errorOf('input name[n]: 3\ninput E[3]\noutput y[n: n] = E[name[n - 1]] else 0');
    expect(error.code).toBe('E403');
  });

  it('to give a value where a place is meant: the else stands behind the whole read', () => {
    const error = errorOf(`${text}output y[t: 4] = E[name[t - 1] else 0]`);
    expect(describeDiagnostic(error)).toBe(
      "E402 'name[t - 1] else 0' `else` gives a value, and an index is a place",
    );
    expect(error.hint).toContain('behind the whole read');
  });
});
