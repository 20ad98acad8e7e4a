import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { DataError, shuffle, split, takeRows, type SplitOptions } from 'chainrule/data';
import type { Port } from '../../../runtime/types.ts';

/** Rows of two numbers [row, -row], and a label. */
function table(labels: readonly number[]): { readonly x: Float32Array; readonly label: Int32Array } {
  return { x: Float32Array.from(labels.flatMap((_, row) => [row, -row])), label: Int32Array.from(labels) };
}
/** Which rows of `table` these are. */
const rowsOf = ({ x }: { readonly x: Float32Array }): number[] =>
  [...x].filter((_, i) => i % 2 === 0).map((row) => row);
const labelled = (count: number): number[] => Array.from({ length: count }, (_, row) => row % 3);
const ascending = (rows: readonly number[]): number[] => rows.toSorted((a, b) => a - b);

describe('rows are taken', () => {
  it('in any order, of every array, into new arrays of the same types', () => {
    const data = table([5, 6, 7]);
    const taken = takeRows(data, 3, [2, 0, 2]);
    expect(taken).toEqual({ x: Float32Array.of(2, -2, 0, -0, 2, -2), label: Int32Array.of(7, 5, 7) });
    expectTypeOf(taken).toEqualTypeOf(data);
  });

  it("by the model's inputs, an array without a batch axis being no rows", () => {
    const ports: Port[] = [
      { name: 'x', shape: [2], batched: true, element: 'real' },
      { name: 'scale', shape: [3], batched: false, element: 'real' },
    ];
    const data = { x: Float32Array.of(1, 2, 3, 4), scale: Float64Array.of(7, 8, 9) };
    expect(takeRows(data, ports, [1])).toEqual({ x: Float32Array.of(3, 4), scale: data.scale });
    expect(() => takeRows({ z: data.x }, ports, [])).toThrow("there is no input 'z'");
    expect(() => takeRows({ x: data.scale }, ports, [])).toThrow("'x' needs 2 values a row");
  });

  it.each<[string, () => unknown, string]>([
    [
      'a row that is not there',
      () => takeRows(table([1, 2]), 2, [2]),
      'there is no row 2; the data have 2 rows',
    ],
    [
      'rows that do not divide',
      () => takeRows(table([1, 2]), 3, []),
      "'x' has 4 values, which do not divide into 3",
    ],
    ['a count that is no number of rows', () => takeRows(table([1, 2]), 0.5, []), 'whole number, found 0.5'],
  ])('%s: a clear error', (_, act, words) => {
    expect(act).toThrow(DataError);
    expect(act).toThrow(words);
  });
});

describe('a shuffle', () => {
  it('keeps every row once and whole, in an order that the seed decides', () => {
    const data = table(labelled(50));
    const one = shuffle(data, 50, { seed: 1 });
    expect(ascending(rowsOf(one))).toEqual(rowsOf(data));
    for (const [place, row] of rowsOf(one).entries()) {
      expect(one.x[2 * place + 1]).toBe(-row);
      expect(one.label[place]).toBe(row % 3);
    }
    expect(shuffle(data, 50, { seed: 1 })).toEqual(one);
    expect(shuffle(data, 50, { seed: 2 })).not.toEqual(one);
    expect(rowsOf(one)).not.toEqual(rowsOf(data));
  });
});

describe('a split', () => {
  const shares = { train: 0.7, validation: 0.2, test: 0.1 } as const;

  it('puts every row in one of the parts that are asked for', () => {
    const data = table(labelled(50));
    const parts = split(data, 50, { ...shares, seed: 3 });
    expectTypeOf(parts).toEqualTypeOf<Record<'train' | 'validation' | 'test', typeof data>>();
    expect(rowsOf(parts.train)).toHaveLength(35);
    expect(rowsOf(parts.validation)).toHaveLength(10);
    expect(rowsOf(parts.test)).toHaveLength(5);
    const all = [...rowsOf(parts.train), ...rowsOf(parts.validation), ...rowsOf(parts.test)];
    expect(ascending(all)).toEqual(rowsOf(data));
    expect(Object.keys(split(data, 50, { train: 0.5, test: 0.5 }))).toEqual(['train', 'test']);
  });

  it('is decided by its seed', () => {
    const data = table(labelled(50));
    expect(split(data, 50, { ...shares, seed: 3 })).toEqual(split(data, 50, { ...shares, seed: 3 }));
    expect(split(data, 50, { ...shares, seed: 3 })).not.toEqual(split(data, 50, { ...shares, seed: 4 }));
  });

  it('of data in the order of time trains on the first rows and tests on the last', () => {
    const { train, test } = split(table(labelled(10)), 10, { train: 0.8, test: 0.2, shuffle: false });
    expect(rowsOf(train)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rowsOf(test)).toEqual([8, 9]);
  });

  it('stratified, has every label in every part as in the whole', () => {
    const labels = Array.from({ length: 200 }, (_, row) => (row < 20 ? 0 : row < 80 ? 1 : 2));
    const parts = split(table(labels), 200, { ...shares, stratify: 'label', seed: 1 });
    const count = (part: keyof typeof parts, label: number): number =>
      parts[part].label.filter((each) => each === label).length;
    expect([0, 1, 2].map((label) => count('train', label))).toEqual([14, 42, 84]);
    expect([0, 1, 2].map((label) => count('validation', label))).toEqual([4, 12, 24]);
    expect([0, 1, 2].map((label) => count('test', label))).toEqual([2, 6, 12]);
    expect([...parts.train.label]).not.toEqual([...parts.train.label].toSorted()); // and mixes them
  });

  it('stratified or not, meets the shares of rows and of labels to within a row or two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 12, maxLength: 60 }),
        fc.constantFrom<SplitOptions>(
          { train: 0.7, test: 0.3 },
          { train: 0.5, validation: 0.25, test: 0.25 },
        ),
        fc.boolean(),
        fc.nat(100),
        (labels, shares, stratified, seed) => {
          const options = { ...shares, seed, ...(stratified ? { stratify: 'label' } : {}) };
          const data = table(labels);
          const parts = split(data, labels.length, options) as Record<string, typeof data>;
          expect(ascending(Object.values(parts).flatMap(rowsOf))).toEqual(rowsOf(data));
          for (const [name, part] of Object.entries(parts)) {
            const share = shares[name as 'train' | 'test'] ?? 0;
            expect(Math.abs(part.label.length - share * labels.length)).toBeLessThan(stratified ? 2 : 1);
            for (const label of stratified ? new Set(labels) : []) {
              const all = labels.filter((each) => each === label).length;
              const own = part.label.filter((each) => each === label).length;
              expect(Math.abs(own - share * all)).toBeLessThan(1);
            }
          }
        },
      ),
    );
  });

  it('refuses an option that it does not have, and so does its type', () => {
    const data = table(labelled(10));
    // @ts-expect-error a slip for `stratify`
    expect(() => split(data, 10, { train: 0.5, test: 0.5, stratified: 'label' })).toThrow(
      new DataError(
        "split has no option 'stratified', did you mean 'stratify'?; its options are train, validation, test, seed, shuffle, stratify",
      ),
    );
    // @ts-expect-error a slip for `validation`
    expect(() => split(data, 10, { train: 1, val: 0.5 })).toThrow(
      "split has no option 'val', did you mean 'validation'?",
    );
    // @ts-expect-error a slip for `seed`
    expect(() => shuffle(data, 10, { sead: 1 })).toThrow(
      "shuffle has no option 'sead', did you mean 'seed'?",
    );
  });

  it.each<[string, number, SplitOptions, string]>([
    ['shares that do not make 1', 10, { train: 0.8, test: 0.1 }, 'found train 0.8, test 0.1'],
    ['no shares', 10, {}, 'the shares must make 1 together, found none'],
    ['a share that is none', 10, { train: 1.2, test: -0.2 }, "the share of 'train' must be above 0"],
    [
      'a part without a row',
      3,
      { train: 0.9, test: 0.1 },
      "the part 'test' would be empty: a share of 0.1 of 3 rows",
    ],
    [
      'an unknown array to stratify by',
      10,
      { train: 1, stratify: 'y' },
      "there is no array 'y'; there are 'x', 'label'",
    ],
    [
      'several values a row to stratify by',
      10,
      { train: 1, stratify: 'x' },
      "'x' must have one value a row, found 2",
    ],
    ['a seed that is no whole number', 10, { train: 1, seed: 0.5 }, 'seed must be a whole number, found 0.5'],
  ])('%s: a clear error', (_, rows, options, words) => {
    expect(() => split(table(labelled(rows)), rows, options)).toThrow(DataError);
    expect(() => split(table(labelled(rows)), rows, options)).toThrow(words);
  });
});
