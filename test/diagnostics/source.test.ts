import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { join, lineAt, placeOf, positionAt } from '../../compiler/diagnostics/source.ts';
import { closest, editDistance } from '../../compiler/diagnostics/suggest.ts';

describe('positions', () => {
  const source = { path: 'models/digits.dsl', text: 'ab\n\ncde\r\n' };

  test.each([
    [0, 1, 1],
    [2, 1, 3],
    [3, 2, 1],
    [4, 3, 1],
    [7, 3, 4],
    [9, 4, 1],
    [99, 4, 1],
    [-1, 1, 1],
  ])('offset %i is line %i, column %i', (offset, line, column) => {
    expect(positionAt(source, offset)).toEqual({ line, column });
  });

  test('agree with counting the line ends before', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '\n'), { maxLength: 40 }), fc.nat(40), (letters, at) => {
        const text = letters.join('');
        const before = text.slice(0, at).split('\n');
        expect(positionAt({ path: '', text }, at)).toEqual({
          line: before.length,
          column: (before.at(-1)?.length ?? 0) + 1,
        });
      }),
    );
  });

  test('lines', () => {
    expect([1, 2, 3, 4, 5].map((line) => lineAt(source, line))).toEqual(['ab', '', 'cde', '', '']);
  });

  test('a place names the file without its folder', () => {
    expect(placeOf({ source, start: 5, end: 6 })).toBe('digits.dsl:3');
    expect(placeOf({ source: { ...source, path: String.raw`c:\models\a.dsl` }, start: 0, end: 0 })).toBe(
      'a.dsl:1',
    );
  });

  test('joined spans cover both', () => {
    expect(join({ source, start: 4, end: 6 }, { source, start: 1, end: 5 })).toEqual({
      source,
      start: 1,
      end: 6,
    });
  });
});

test('diagnostics tell whether there are errors', () => {
  const diagnostics = new Diagnostics();
  const span = { source: { path: '', text: '' }, start: 0, end: 0 };
  diagnostics.warning('W701', span, 'unused');
  expect(diagnostics.hasErrors).toBe(false);
  diagnostics.error('E201', span, 'unknown', { hint: 'hint' });
  expect(diagnostics.hasErrors).toBe(true);
  expect(diagnostics.list.map(({ severity, hint, notes }) => [severity, hint, notes])).toEqual([
    ['warning', undefined, []],
    ['error', 'hint', []],
  ]);
});

describe('did you mean', () => {
  const names = ['relu', 'sigmoid', 'softmax', 'hidden', 'W1', 'cross_entropy'];

  test.each([
    ['rleu', 'relu'],
    ['Relu', 'relu'],
    ['RELU', 'relu'],
    ['sigmod', 'sigmoid'],
    ['sofmtax', 'softmax'],
    ['hiden', 'hidden'],
    ['w1', 'W1'],
    ['crossentropy', 'cross_entropy'],
    ['cross_entrpoyy', 'cross_entropy'],
    ['W2', 'W1'],
    ['x', undefined],
    ['tanh', undefined],
    ['hd', undefined],
    ['', undefined],
  ])('%s: %s', (name, expected) => expect(closest(name, names)).toBe(expected));

  test('a name is not suggested for itself, and the first of equals wins', () => {
    expect(closest('abcd', ['abcd'])).toBeUndefined();
    expect(closest('abcd', ['abce', 'abcf'])).toBe('abce');
    expect(closest('abcd', ['abce', 'ABCD'])).toBe('ABCD');
    expect(closest('tahn', ['tan', 'tanh'])).toBe('tanh');
  });

  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['abc', 'acb', 1],
    ['abcd', 'abd', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('the distance of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
