import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addIndex,
  coefficientOf,
  constantIndex,
  equalIndices,
  fetchIndex,
  indexBounds,
  indexKey,
  indexNames,
  indexOf,
  isAffine,
  isConstantIndex,
  isInside,
  isPlainIndex,
  positiveRemainder,
  quotientIndex,
  remainderIndex,
  scaleIndex,
  substituteInIndex,
  subtractIndex,
  tightenIndex,
} from '../../compiler/graph/index-expressions.ts';
import { printIndex } from '../../compiler/graph/print.ts';
import type { IndexExpression } from '../../compiler/graph/types.ts';
import { tensor } from './support.ts';

const i = indexOf('i');
const j = indexOf('j');

/** Its value where a loop index i has the value point.i. */
function evaluate(expression: IndexExpression, point: Readonly<Record<string, number>>): number {
  return expression.terms.reduce((total, { coefficient, atom }) => {
    if (atom.kind === 'index') return total + coefficient * (point[atom.name] ?? NaN);
    if (atom.kind === 'fetch') throw new Error('no tensors here');
    const of = evaluate(atom.of, point);
    if (atom.kind === 'remainder') return total + coefficient * positiveRemainder(of, atom.by);
    return total + coefficient * Math.floor(of / atom.by);
  }, expression.constant);
}

const expressions: fc.Arbitrary<IndexExpression> = fc.letrec<{ expression: IndexExpression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(i, j),
    fc.integer({ min: -9, max: 9 }).map(constantIndex),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => addIndex(a, b)),
    fc.tuple(tie('expression'), fc.integer({ min: -4, max: 4 })).map(([a, factor]) => scaleIndex(a, factor)),
    fc.tuple(tie('expression'), fc.integer({ min: 1, max: 5 })).map(([a, by]) => quotientIndex(a, by)),
    fc.tuple(tie('expression'), fc.integer({ min: 1, max: 5 })).map(([a, by]) => remainderIndex(a, by)),
  ),
})).expression;

const points = fc.record({ i: fc.nat(7), j: fc.nat(7) });

describe('index arithmetic', () => {
  it('merges equal atoms and drops what cancels', () => {
    expect(addIndex(i, j, i, constantIndex(2))).toEqual(addIndex(j, constantIndex(2), scaleIndex(i, 2)));
    expect(subtractIndex(addIndex(i, j), i)).toEqual(j);
    expect(subtractIndex(i, i)).toEqual(constantIndex(0));
  });

  it('has one order of terms: indices by name, then fetches, quotients and remainders', () => {
    const parts = [remainderIndex(i, 2), quotientIndex(i, 2), fetchIndex('a', [i]), j, i];
    expect(printIndex(addIndex(...parts))).toBe('i + j + a[i] + i / 2 + mod(i, 2)');
    expect(addIndex(...parts)).toEqual(addIndex(...parts.toReversed()));
  });

  it('takes whole multiples out of quotients and drops them in remainders', () => {
    const twice = addIndex(scaleIndex(i, 2), constantIndex(3));
    expect(quotientIndex(twice, 2)).toEqual(addIndex(i, constantIndex(1)));
    expect(remainderIndex(twice, 2)).toEqual(constantIndex(1));
    expect(quotientIndex(constantIndex(-3), 2)).toEqual(constantIndex(-2));
    expect(remainderIndex(constantIndex(-3), 2)).toEqual(constantIndex(1));
  });

  it('keeps an exact quotient that is not whole: nothing may be there', () => {
    expect(quotientIndex(constantIndex(4), 2, true)).toEqual(constantIndex(2));
    expect(printIndex(quotientIndex(constantIndex(3), 2, true))).toBe('exact(1 / 2) + 1');
  });

  it('means what it says at every point', () => {
    fc.assert(
      fc.property(expressions, expressions, points, fc.integer({ min: 1, max: 5 }), (a, b, point, by) => {
        const [x, y] = [evaluate(a, point), evaluate(b, point)];
        expect(evaluate(addIndex(a, b), point)).toBe(x + y);
        expect(evaluate(subtractIndex(a, b), point)).toBe(x - y);
        expect(evaluate(scaleIndex(a, by), point)).toBe(x * by);
        expect(evaluate(quotientIndex(a, by), point)).toBe(Math.floor(x / by));
        expect(evaluate(remainderIndex(a, by), point)).toBe(positiveRemainder(x, by));
      }),
    );
  });

  it('substitutes all indices at once', () => {
    const swap = new Map([
      ['i', j],
      ['j', i],
    ]);
    const expression = addIndex(scaleIndex(i, 2), j, quotientIndex(i, 3), fetchIndex('a', [j]));
    expect(printIndex(substituteInIndex(expression, swap))).toBe('i + 2*j + a[i] + j / 3');
  });

  it('gives after substitution the value at the substituted point', () => {
    fc.assert(
      fc.property(expressions, expressions, points, (expression, replacement, point) => {
        const substituted = substituteInIndex(expression, new Map([['i', replacement]]));
        const inner = { ...point, i: evaluate(replacement, point) };
        expect(evaluate(substituted, point)).toBe(evaluate(expression, inner));
      }),
    );
  });
});

describe('questions about an index expression', () => {
  it('tells a plain index, a constant and an affine form', () => {
    expect(isPlainIndex(i)).toBe('i');
    for (const other of [
      addIndex(i, constantIndex(1)),
      scaleIndex(i, 2),
      constantIndex(0),
      fetchIndex('a', []),
    ]) {
      expect(isPlainIndex(other)).toBeUndefined();
    }
    expect(isConstantIndex(constantIndex(7))).toBe(7);
    expect(isConstantIndex(i)).toBeUndefined();
    expect(isAffine(addIndex(scaleIndex(i, 2), j))).toBe(true);
    expect(isAffine(quotientIndex(i, 2))).toBe(false);
    expect(coefficientOf(addIndex(scaleIndex(i, -3), j), 'i')).toBe(-3);
  });

  it('finds indices inside fetches, quotients and remainders', () => {
    const nested = addIndex(fetchIndex('a', [quotientIndex(i, 2)]), remainderIndex(j, 3));
    expect([...indexNames(nested)]).toEqual(['i', 'j']);
  });

  it('has equal keys just for equal expressions', () => {
    const a = fetchIndex('a', [i, j]);
    expect(indexKey(addIndex(a, i))).toBe(indexKey(addIndex(i, fetchIndex('a', [i, j]))));
    expect(equalIndices(a, fetchIndex('a', [j, i]))).toBe(false);
    expect(equalIndices(quotientIndex(i, 2), quotientIndex(i, 2, true))).toBe(false);
  });
});

describe('bounds', () => {
  const extents = new Map<string, number | string>([
    ['i', 8],
    ['j', 8],
    ['b', 'n'],
  ]);
  const tokens = tensor('tokens', 'input', [8], { element: 'integer', range: { least: 2, greatest: 5 } });
  const tensors = new Map([['tokens', tokens]]);

  it('hold at every point, and are met for one affine form', () => {
    fc.assert(
      fc.property(expressions, points, (expression, point) => {
        const bounds = indexBounds(expression, extents, tensors);
        const value = evaluate(expression, point);
        expect(bounds?.least).toBeLessThanOrEqual(value);
        expect(bounds?.greatest).toBeGreaterThanOrEqual(value);
      }),
    );
    const affine = addIndex(scaleIndex(i, 2), scaleIndex(j, -1), constantIndex(3));
    expect(indexBounds(affine, extents, tensors)).toEqual({ least: -4, greatest: 17 });
  });

  it('take the declared range of a fetch, and none of an unbound index', () => {
    const fetched = addIndex(fetchIndex('tokens', [i]), constantIndex(-2));
    expect(indexBounds(fetched, extents, tensors)).toEqual({ least: 0, greatest: 3 });
    expect(indexBounds(indexOf('z'), extents, tensors)).toBeUndefined();
  });

  it('prove that an index stays inside an axis', () => {
    expect(isInside(i, 8, extents, tensors)).toBe(true);
    expect(isInside(i, 7, extents, tensors)).toBe(false);
    expect(isInside(addIndex(i, constantIndex(-1)), 8, extents, tensors)).toBe(false);
    expect(isInside(fetchIndex('tokens', [i]), 6, extents, tensors)).toBe(true);
    expect(isInside(fetchIndex('tokens', [i]), 5, extents, tensors)).toBe(false);
  });

  it('know of a run-time axis only that its own index is inside', () => {
    expect(isInside(indexOf('b'), 'n', extents, tensors)).toBe(true);
    expect(isInside(indexOf('b'), 'm', extents, tensors)).toBe(false);
    expect(isInside(indexOf('b'), 100, extents, tensors)).toBe(false);
    expect(isInside(constantIndex(0), 'n', extents, tensors)).toBe(false);
  });
});

describe('what digits are put together from', () => {
  const tight = (index: IndexExpression): string => printIndex(tightenIndex(index, new Map(), new Map()));

  it('is the number itself, times what all are multiplied by', () => {
    const two = addIndex(scaleIndex(quotientIndex(i, 4), 4), remainderIndex(i, 4));
    expect(tight(two)).toBe('i');
    expect(tight(addIndex(scaleIndex(two, 3), j, constantIndex(2)))).toBe(
      printIndex(addIndex(scaleIndex(i, 3), j, constantIndex(2))),
    );
    const middle = scaleIndex(remainderIndex(quotientIndex(i, 4), 3), 4);
    expect(tight(addIndex(scaleIndex(quotientIndex(i, 12), 12), middle, remainderIndex(i, 4)))).toBe('i');
    const shifted = addIndex(i, constantIndex(7));
    const odd = addIndex(scaleIndex(quotientIndex(shifted, 5), 5), remainderIndex(shifted, 5));
    for (let at = 0; at < 12; at++)
      expect(evaluate(tightenIndex(odd, new Map(), new Map()), { i: at })).toBe(at + 7);
  });

  it('stays where the digits do not fit', () => {
    for (const [by, weight] of [
      [4, 3],
      [3, 4],
      [4, -4],
    ] as const) {
      const index = addIndex(scaleIndex(quotientIndex(i, by), weight), remainderIndex(i, 4));
      expect(tight(index)).toBe(printIndex(index));
    }
  });
});
