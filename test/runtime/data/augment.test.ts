import { describe, expect, it } from 'vitest';
import { compose, DataError, noise, randomFlip, randomShift, type Augmentation } from 'chainrule/data';
import { Random } from 'chainrule/runtime';

/** The rows after the change, as lists. */
function apply(augmentation: Augmentation, x: readonly number[], rows: number, seed = 1): number[] {
  const batch = { x: Float32Array.from(x), label: new Int32Array(rows) };
  augmentation(batch, rows, new Random(seed, 'augment'));
  return [...batch.x];
}
const image = [1, 2, 3, 4, 5, 6]; // two lines of three pixels
const shape = [2, 3] as const;
const many = (rows: number): number[] => Array.from({ length: rows }, () => image).flat();
const rowsOf = (values: readonly number[]): string[] =>
  Array.from({ length: values.length / 6 }, (_, row) => values.slice(6 * row, 6 * row + 6).join(' '));

describe('a flip', () => {
  it('mirrors left to right, pixel by pixel of a channel', () => {
    expect(apply(randomFlip({ input: 'x', shape, probability: 1 }), image, 1)).toEqual([3, 2, 1, 6, 5, 4]);
    const colours = randomFlip({ input: 'x', shape: [1, 2, 3], probability: 1 });
    expect(apply(colours, image, 1)).toEqual([4, 5, 6, 1, 2, 3]);
  });

  it('or upside down', () => {
    const flip = randomFlip({ input: 'x', shape, direction: 'vertical', probability: 1 });
    expect(apply(flip, image, 1)).toEqual([4, 5, 6, 1, 2, 3]);
  });

  it('by chance, row by row', () => {
    const found = rowsOf(apply(randomFlip({ input: 'x', shape }), many(200), 200));
    const flipped = found.filter((row) => row === '3 2 1 6 5 4').length;
    expect(found.filter((row) => row === '1 2 3 4 5 6')).toHaveLength(200 - flipped);
    expect(flipped).toBeGreaterThan(70);
    expect(flipped).toBeLessThan(130);
  });
});

describe('a shift', () => {
  it('moves up to so many pixels each way, and fills what comes in', () => {
    const found = new Set(rowsOf(apply(randomShift({ input: 'x', shape, by: 1 }), many(200), 200)));
    expect(found).toEqual(
      new Set([
        '1 2 3 4 5 6',
        '0 1 2 0 4 5', // right
        '2 3 0 5 6 0', // left
        '0 0 0 1 2 3', // down
        '4 5 6 0 0 0', // up
        '0 0 0 0 1 2',
        '0 0 0 2 3 0',
        '0 4 5 0 0 0',
        '5 6 0 0 0 0',
      ]),
    );
    const filled = apply(randomShift({ input: 'x', shape, by: 1, fill: -1 }), many(50), 50);
    expect(filled).toContain(-1);
    expect(filled).not.toContain(0);
  });
});

it('noise has the deviation asked for', () => {
  const found = apply(
    noise({ input: 'x', deviation: 0.5 }),
    Array.from({ length: 4000 }, () => 3),
    2000,
  );
  const mean = found.reduce((sum, value) => sum + value / 4000, 0);
  const variance = found.reduce((sum, value) => sum + (value - mean) ** 2 / 4000, 0);
  expect(mean).toBeCloseTo(3, 1);
  expect(Math.sqrt(variance)).toBeCloseTo(0.5, 1);
});

it('several are done one after the other, and the seed decides all of them', () => {
  const both = compose(
    randomFlip({ input: 'x', shape, probability: 1 }),
    randomFlip({ input: 'x', shape, direction: 'vertical', probability: 1 }),
  );
  expect(apply(both, image, 1)).toEqual([6, 5, 4, 3, 2, 1]);
  const drawn = compose(randomShift({ input: 'x', shape, by: 1 }), noise({ input: 'x', deviation: 1 }));
  expect(apply(drawn, many(10), 10, 1)).toEqual(apply(drawn, many(10), 10, 1));
  expect(apply(drawn, many(10), 10, 1)).not.toEqual(apply(drawn, many(10), 10, 2));
});

it.each<[string, Augmentation, string]>([
  ['an array that is not there', noise({ input: 'y', deviation: 1 }), "there is no 'y'; there are x, label"],
  ['whole numbers', noise({ input: 'label', deviation: 1 }), "'label' holds whole numbers"],
  [
    'another size',
    randomFlip({ input: 'x', shape: [2, 2] }),
    "a row of 'x' has 6 values, but the image has 4",
  ],
])('%s: a clear error', (_, augmentation, words) => {
  expect(() => apply(augmentation, image, 1)).toThrow(DataError);
  expect(() => apply(augmentation, image, 1)).toThrow(words);
});
