import { describe, expect, it } from 'vitest';
import {
  accumulated,
  add,
  addIndex,
  constant,
  constantIndex,
  divide,
  extentValue,
  fetchIndex,
  indexOf,
  indexValue,
  multiply,
  quotientIndex,
  read,
  remainderIndex,
  scaleIndex,
  select,
  subtract,
  unary,
} from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Combine, Extent, Program, Statement, Tensor } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { at, program, statement, tensor } from './support.ts';

const i = indexOf('i');

/** The values of the last statement's target. The inputs are declared as their values say: [axes, values]. */
function run(
  inputs: Readonly<Record<string, readonly [readonly Extent[], readonly number[]]>>,
  statements: readonly Statement[],
  targets: Readonly<Record<string, Partial<Tensor>>> = {},
  extents: Readonly<Record<string, number>> = {},
): number[] {
  const made = program(
    Object.entries(inputs).map(([name, [axes, values]]) => declare(name, axes, values)),
    statements,
    { targets },
  );
  expect(validate(made)).toEqual([]);
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, [, values]]) => [name, values]));
  return Array.from(interpret(made, { tensors, extents }).get(statements.at(-1)?.target ?? '') ?? []);
}

/** Integers where the name begins with `index`, with the range of the values. */
function declare(name: string, axes: readonly Extent[], values: readonly number[]): Tensor {
  if (!name.startsWith('index')) return tensor(name, 'input', axes);
  const range = { least: Math.min(...values), greatest: Math.max(...values) };
  return tensor(name, 'input', axes, { element: 'integer', range });
}

/** y = ⊕[u] x[u] over the values. */
function combined(combine: Combine, values: readonly number[]): number {
  const element = combine.startsWith('arg') ? 'integer' : 'double';
  const made = statement('y', { u: values.length }, at('x', ['u']), { rank: 0, combine });
  return run({ x: [[values.length], values] }, [made], { y: { element } })[0] ?? NaN;
}

describe('the interpreter', () => {
  it('multiplies matrices', () => {
    const product = multiply(at('a', ['i', 'k']), at('b', ['k', 'j']));
    const matmul = statement('y', { i: 2, j: 2, k: 3 }, product, { rank: 2, combine: 'sum' });
    const inputs = {
      a: [
        [2, 3],
        [1, 2, 3, 4, 5, 6],
      ],
      b: [
        [3, 2],
        [7, 8, 9, 10, 11, 12],
      ],
    } as const;
    expect(run(inputs, [matmul])).toEqual([58, 64, 139, 154]);
  });

  it('convolves with stride and padding', () => {
    const place = addIndex(scaleIndex(i, 2), indexOf('u'), constantIndex(-1));
    const body = multiply(at('x', [place], 0), at('k', ['u']));
    const conv = statement('y', { i: 3, u: 3 }, body, { rank: 1, combine: 'sum' });
    // [0 1 2 3 4 5] at -1, 1, 3
    expect(run({ x: [[5], [1, 2, 3, 4, 5]], k: [[3], [1, 10, 100]] }, [conv])).toEqual([210, 432, 54]);
  });

  it('pools', () => {
    const body = at('x', [addIndex(scaleIndex(i, 2), indexOf('u'))]);
    const pool = statement('y', { i: 2, u: 2 }, body, { rank: 1, combine: 'max' });
    expect(run({ x: [[4], [3, 1, -5, -4]] }, [pool])).toEqual([3, -4]);
  });

  it('takes a softmax by logsumexp, without overflow', () => {
    const total = statement('s', { n: 'n', k: 2 }, at('z', ['n', 'k']), { rank: 1, combine: 'logsumexp' });
    const body = unary('exp', subtract(at('z', ['n', 'k']), at('s', ['n'])));
    const softmax = statement('p', { n: 'n', k: 2 }, body);
    const values = run(
      {
        z: [
          ['n', 2],
          [0, Math.log(3), 1000, 1000],
        ],
      },
      [total, softmax],
      {},
      { n: 2 },
    );
    expect(values[0]).toBeCloseTo(0.25, 15);
    expect(values.slice(1)).toEqual([
      expect.closeTo(0.75, 15),
      expect.closeTo(0.5, 12),
      expect.closeTo(0.5, 12),
    ]);
  });

  it('looks up an embedding', () => {
    const body = read('E', [fetchIndex('index', [indexOf('n')]), indexOf('d')]);
    const inputs = {
      E: [
        [3, 2],
        [1, 2, 3, 4, 5, 6],
      ],
      index: [['n'], [2, 0]],
    } as const;
    expect(run(inputs, [statement('y', { n: 'n', d: 2 }, body)], {}, { n: 2 })).toEqual([5, 6, 1, 2]);
  });

  it('reads a diagonal, a reversed axis, a floor and a remainder', () => {
    const x = [
      [3, 3],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    ] as const;
    expect(run({ x }, [statement('y', { i: 3 }, at('x', ['i', 'i']))])).toEqual([1, 5, 9]);
    const reversed = addIndex(constantIndex(2), scaleIndex(i, -1));
    expect(run({ x }, [statement('y', { i: 3 }, at('x', [0, reversed]))])).toEqual([3, 2, 1]);
    const row = [quotientIndex(i, 3), remainderIndex(i, 3)];
    expect(run({ x }, [statement('y', { i: 9 }, read('x', row))])).toEqual(x[1]);
  });

  it('reads what is outside as its padding, and so an exact quotient that is not whole', () => {
    const x = [[2], [7, 8]] as const;
    const half = quotientIndex(addIndex(i, constantIndex(-1)), 2, true);
    expect(run({ x }, [statement('y', { i: 6 }, at('x', [half], -1))])).toEqual([-1, 7, -1, 8, -1, -1]);
    const floor = quotientIndex(addIndex(i, constantIndex(-1)), 2);
    expect(run({ x }, [statement('y', { i: 6 }, at('x', [floor], -1))])).toEqual([-1, 7, 7, 8, 8, -1]);
  });

  it('multiplies with zeros', () => {
    expect(combined('product', [2, 0, 5])).toBe(0);
    expect(combined('product', [2, -3, 5])).toBe(-30);
  });

  it.each<readonly [Combine, number]>([
    ['sum', 0],
    ['product', 1],
    ['max', -Infinity],
    ['min', Infinity],
    ['logsumexp', -Infinity],
    ['argmax', -1],
    ['argmin', -1],
  ])('gives the neutral element of %s over an empty box: %d', (combine, neutral) => {
    expect(combined(combine, [])).toBe(neutral);
  });

  it('takes logsumexp of all -inf as -inf, and of inf as inf', () => {
    expect(combined('logsumexp', [-Infinity, -Infinity])).toBe(-Infinity);
    expect(combined('logsumexp', [-Infinity, 5])).toBe(5);
    expect(combined('logsumexp', [Infinity, 5])).toBe(Infinity);
  });

  it('takes the first of equal extremes', () => {
    expect(combined('argmax', [1, 3, 3, 2])).toBe(1);
    expect(combined('argmin', [2, 1, 1])).toBe(1);
  });

  it('counts places over several indices row by row', () => {
    const made = statement('y', { u: 2, v: 3 }, at('x', ['u', 'v']), { rank: 0, combine: 'argmax' });
    expect(
      run(
        {
          x: [
            [2, 3],
            [0, 1, 2, 3, 9, 5],
          ],
        },
        [made],
        { y: { element: 'integer' } },
      ),
    ).toEqual([4]);
  });

  it('scatters: values that meet are combined, elements that none meets are neutral', () => {
    const write = [fetchIndex('index', [i])];
    const inputs = { index: [[4], [2, 0, 2, 2]], x: [[4], [1, 2, 3, 4]] } as const;
    const axes = { y: { axes: [4], axisNames: [''] } };
    const sum = statement('y', { i: 4 }, at('x', ['i']), { combine: 'sum', write });
    expect(run(inputs, [sum], axes)).toEqual([2, 0, 8, 0]);
    const product = statement('y', { i: 4 }, at('x', ['i']), { combine: 'product', write });
    expect(run(inputs, [product], axes)).toEqual([2, 1, 12, 1]);
  });

  it('finishes each combined value once, also over an empty box', () => {
    const finish = multiply(add(accumulated, at('b', ['i'])), constant(2));
    const row = (count: number) =>
      statement('y', { i: 2, u: count }, at('x', ['i', 'u']), { rank: 1, combine: 'sum', finish });
    const b = [[2], [10, 20]] as const;
    expect(
      run(
        {
          x: [
            [2, 2],
            [1, 2, 3, 4],
          ],
          b,
        },
        [row(2)],
      ),
    ).toEqual([26, 54]);
    expect(run({ x: [[2, 0], []], b }, [row(0)])).toEqual([20, 40]);
  });

  it('evaluates only the chosen branch, indices as numbers and run-time sizes', () => {
    const guarded = select(indexValue(i), divide(constant(1), indexValue(i)), extentValue('n'));
    const made = statement('y', { i: 'n' }, guarded);
    expect(run({ x: [['n'], [0, 0, 0]] }, [made], {}, { n: 3 })).toEqual([3, 1, 0.5]);
  });
});

describe('the interpreter refuses', () => {
  const made: Program = program([tensor('x', 'input', ['n'])], [statement('y', { n: 'n' }, at('x', ['n']))]);

  it('missing values, a missing size and a wrong number of values', () => {
    expect(() => interpret(made, { tensors: {}, extents: { n: 2 } })).toThrow('no values are given for x');
    expect(() => interpret(made, { tensors: { x: [1] } })).toThrow('no value is given for the extent n');
    expect(() => interpret(made, { tensors: { x: [1] }, extents: { n: 2 } })).toThrow(
      '1 values are given for x',
    );
  });

  it('a read outside a tensor that has no value for it', () => {
    const wild = program([tensor('x', 'input', [2])], [statement('y', { i: 3 }, at('x', ['i']))]);
    expect(() => interpret(wild, { tensors: { x: [1, 2] } })).toThrow('x is read outside');
  });
});
