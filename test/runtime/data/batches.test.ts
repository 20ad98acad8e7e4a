import { describe, expect, it } from 'vitest';
import { batches, DataError, shuffled, type Dataset } from 'chainrule/data';

const row = (n: number): { x: Float32Array; label: Int32Array } => ({
  x: Float32Array.of(n, n + 0.5),
  label: Int32Array.of(n),
});
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
async function all<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const list: Row[] = [];
  for await (const each of rows) list.push(each);
  return list;
}

describe('batches', () => {
  it('put rows together, the last of them fewer', async () => {
    const made = await all(batches(numbers(5).map(row), 2));
    expect(made.map(({ label }) => [...label])).toEqual([[0, 1], [2, 3], [4]]);
    expect(made[0]).toEqual({ x: Float32Array.of(0, 0.5, 1, 1.5), label: Int32Array.of(0, 1) });
  });

  it('leave the last out where it is asked for', async () => {
    expect(await all(batches(numbers(5).map(row), 2, { dropLast: true }))).toHaveLength(2);
    expect(await all(batches(numbers(4).map(row), 2, { dropLast: true }))).toHaveLength(2);
  });

  it('take what they need from an endless source, and close it when they are left', async () => {
    let made = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<ReturnType<typeof row>> {
      try {
        for (;;) yield row(made++);
      } finally {
        closed = true;
      }
    }
    let seen = 0;
    for await (const { label } of batches(shuffled(endless(), { buffer: 4 }), 3)) {
      seen += label.length;
      if (seen === 9) break;
    }
    expect(made).toBe(13); // a buffer of 4, and one for each row that went
    expect(closed).toBe(true);
  });

  it.each<[string, Dataset[], number, string]>([
    [
      'another length',
      [row(0), { ...row(1), x: Float32Array.of(1) }],
      2,
      "row 1: 'x' is Float32Array of 1, but in row 0 it is Float32Array of 2",
    ],
    [
      'another type',
      [row(0), { ...row(1), label: Float32Array.of(1) }],
      2,
      "row 1: 'label' is Float32Array of 1, but in row 0",
    ],
    [
      'an array that is missing',
      [row(0), { x: Float32Array.of(1, 2) }],
      2,
      "row 1: 'label' is no typed array",
    ],
    [
      'an array too many',
      [row(0), { ...row(1), z: Float32Array.of(1) }],
      2,
      "row 1 has 'z', which row 0 has not",
    ],
    ['a size of 0', [row(0)], 0, 'size must be a whole number from 1, found 0'],
  ])('refuse %s', async (_, rows, size, words) => {
    await expect(all(batches(rows, size))).rejects.toThrow(words);
    await expect(all(batches(rows, size))).rejects.toBeInstanceOf(DataError);
  });
});

describe('a shuffle buffer', () => {
  it('gives every row once, in an order that the seed decides', async () => {
    const one = await all(shuffled(numbers(100), { buffer: 10, seed: 1 }));
    expect(one.toSorted((a, b) => a - b)).toEqual(numbers(100));
    expect(one).not.toEqual(numbers(100));
    expect(await all(shuffled(numbers(100), { buffer: 10, seed: 1 }))).toEqual(one);
    expect(await all(shuffled(numbers(100), { buffer: 10, seed: 2 }))).not.toEqual(one);
  });

  it('of one row changes nothing, and may be larger than the data', async () => {
    expect(await all(shuffled(numbers(5), { buffer: 1 }))).toEqual(numbers(5));
    const large = await all(shuffled(numbers(5), { buffer: 100, seed: 4 }));
    expect(large.toSorted()).toEqual(numbers(5));
    await expect(all(shuffled([], { buffer: 3 }))).resolves.toEqual([]);
  });

  it('lets no row go more than its size too early', async () => {
    const order = await all(shuffled(numbers(200), { buffer: 8, seed: 5 }));
    for (const [place, n] of order.entries()) expect(n).toBeLessThanOrEqual(place + 8);
  });
});
