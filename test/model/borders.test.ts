/** Reads that go on beyond their tensor: `x[i - 1] else edge`, `reflect`, `circular`. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { isScatter } from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { expectEmittedGradient, expectRightGradient, numbers, programOfLayer } from '../prelude/support.ts';
import { describeDiagnostic, errorOf, lines, programOf, statementsOf, textOf } from './helpers.ts';

/** The place that is read for a place p of an axis, as numpy's `pad` and PyTorch's have it. */
const inside = {
  edge: (p: number, extent: number) => Math.min(Math.max(p, 0), extent - 1),
  reflect: (p: number, extent: number) => (p < 0 ? -p : p < extent ? p : 2 * (extent - 1) - p),
  circular: (p: number, extent: number) => ((p % extent) + extent) % extent,
} as const;
const modes = ['edge', 'reflect', 'circular'] as const;

const valueOf = (body: string, tensors: Record<string, readonly number[]>): number[] => [
  ...(interpret(programOf(body), { tensors }).get('y') ?? []),
];

describe('a read with a border', () => {
  it.each([
    ['edge', [1, 1, 1, 2, 3, 4, 4, 4]],
    ['reflect', [3, 2, 1, 2, 3, 4, 3, 2]],
    ['circular', [3, 4, 1, 2, 3, 4, 1, 2]],
  ])('goes on: %s', (mode, wanted) => {
    const body = `input x[4]\noutput y[i: 8] = x[i - 2] else ${mode}`;
    expect(valueOf(body, { x: [1, 2, 3, 4] })).toEqual(wanted);
  });

  it('goes on at both axes, and at those alone at which it is outside', () => {
    const x = numbers(6);
    const body = 'input x[2, 3]\noutput y[i: 4, j: 3] = x[i - 1, 2 - j] else edge';
    const wanted = [0, 0, 1, 1].flatMap((row) => [2, 1, 0].map((column) => x[3 * row + column]));
    expect(valueOf(body, { x })).toEqual(wanted);
  });

  it('is the read of the place that is meant, for every size, step and shift', () => {
    const cases = fc.record({
      mode: fc.constantFrom(...modes),
      extent: fc.integer({ min: 1, max: 5 }),
      places: fc.integer({ min: 1, max: 9 }),
      step: fc.integer({ min: -2, max: 3 }),
      shift: fc.integer({ min: -6, max: 6 }),
    });
    const property = fc.property(cases, ({ mode, extent, places, step, shift }) => {
      const read = Array.from({ length: places }, (_, i) => step * i + shift);
      const reach = { edge: Infinity, reflect: extent - 1, circular: extent }[mode];
      fc.pre(read.every((p) => p >= -reach && p < extent + reach));
      const x = numbers(extent);
      const wanted = read.map((p) => x[inside[mode](p, extent)]);
      const program = programOf(
        `input x[${extent}]\noutput y[i: ${places}] = x[${step} * i + ${shift}] else ${mode}`,
      );
      for (const made of [program, optimise(prepare(program))])
        expect([...(interpret(made, { tensors: { x } }).get('y') ?? [])]).toEqual(wanted);
    });
    fc.assert(property, { seed: 7, numRuns: 150 });
  });

  it('may be of an expression, in a window, and behind an integer tensor', () => {
    const window = 'input x[3]\ninput z[3]\noutput y[i: 3] = sum[u: 3]((x + z)[i + u - 1] else reflect)';
    expect(valueOf(window, { x: [1, 2, 4], z: [0, 1, 0] })).toEqual([7, 8, 10]);
    const table = 'input x[3]\ninput k[4]: -1 .. 3\noutput y[i: 4] = x[k[i]] else circular';
    expect(valueOf(table, { x: [1, 2, 4], k: [-1, 3, 0, 2] })).toEqual([4, 1, 1, 4]);
  });

  it('that is never outside costs nothing', () => {
    const body = 'input x[n, 4]\noutput y[n, i: 3] = x[n, i + 1] else reflect';
    expect(lines(optimise(prepare(programOf(body))))).toEqual(['y[n, i: 3] = x[n, i + 1]']);
  });

  it('is a choice of reads in the program', () => {
    expect(statementsOf('input x[n, 4]\noutput y[n, i: 6] = x[n, i - 1] else reflect')).toEqual([
      'y[n, i: 6] = i < 1 ? x[n, 1 - i] else 0 : i < 5 ? x[n, i - 1] else 0 : x[n, 7 - i] else 0',
    ]);
  });

  it.each(modes)('has the gradient of the elements that it reads: %s', async (mode) => {
    const around = 'param x[4, 5] ~ zeros\nparam K[3, 3] ~ ones';
    const padded = `a[i: 7, j: 8] = x[i - 2, j - 1] else ${mode}`;
    for (const statements of [
      `${around}\n${padded}\nb[i, j] = sum[u, v](a[i + u, j + v] * K[u, v])`,
      // in the window itself, with a step
      `${around}\nb[i: 3, j: 3] = sum[u, v]((x[2*i + u - 1, 2*j + v - 1] else ${mode}) * K[u, v])`,
    ]) {
      expectRightGradient(programOfLayer(statements, 'tanh(b)').program);
      await expectEmittedGradient(statements, 'tanh(b)');
    }
  });

  it('has a gradient that gathers where the border is a mirror', () => {
    const { program } = programOfLayer('param x[4] ~ zeros\nb[i: 6] = x[i - 1] else reflect', 'b^2');
    const gradient = differentiate(prepare(program), new Diagnostics());
    expect(gradient.statements.filter(isScatter)).toEqual([]);
  });
});

describe('it is an error', () => {
  it.each([
    ['reflect', 'i - 3', 9, '`reflect` reaches from -2 to 4, but this index runs from -3 to 5'],
    ['reflect', 'i + 1', 5, '`reflect` reaches from -2 to 4, but this index runs from 1 to 5'],
    ['circular', '2*i - 4', 3, '`circular` reaches from -3 to 5, but this index runs from -4 to 0'],
  ])('to go further than there are elements: %s at %s', (mode, index, places, message) => {
    const error = errorOf(`input x[n, 3]\noutput y[n, i: ${places}] = x[n, ${index}] else ${mode}`);
    expect(describeDiagnostic(error)).toBe(`E407 '${index}' axis 2 of \`x\` has 3 places, so ${message}`);
    expect(error.hint).toContain('else edge');
  });

  it('to mirror a single place', () => {
    const error = errorOf('input x[n, 1]\noutput y[n, i: 3] = x[n, i - 1] else reflect');
    expect(error).toMatchObject({ code: 'E407', hint: expect.stringContaining('nothing to mirror') });
  });

  it('but not where a condition keeps the index near', () => {
    programOf('input x[n, 3]\noutput y[n, i: 9] = i < 5 ? x[n, i - 1] else reflect : 0');
  });

  it('at the open dimension, whose end is not known', () => {
    const error = errorOf('input x[n, 3]\noutput y[n: n, i] = x[n - 1, i] else edge');
    expect(`${error.code} '${textOf(error.span)}'`).toBe("E403 'n - 1'");
  });

  it('of an exact quotient, which may be between two places', () => {
    const error = errorOf('input x[n, 3]\noutput y[n, i: 6] = x[n, exact(i / 2)] else edge');
    expect(`${error.code} '${textOf(error.span)}'`).toBe("E402 'exact(i / 2)'");
  });
});
