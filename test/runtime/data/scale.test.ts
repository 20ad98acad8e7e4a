import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, fitMinMax, fitStandardiser, loadScaler, oneHot } from 'chainrule/data';

const train = Float64Array.of(1, 10, 7, 3, 30, 7, 2, 20, 7); // three rows of three columns, the last constant

describe('standardising', () => {
  it('gives every column mean 0 and deviation 1, a constant one 0', () => {
    const result = fitStandardiser(train, 3).apply(train);
    const unit = Math.sqrt(1.5);
    const wanted = [-unit, -unit, 0, unit, unit, 0, 0, 0, 0];
    for (const [i, value] of result.entries()) expect(value).toBeCloseTo(wanted[i]!, 12);
  });

  it('is fitted on one part and applied to another', () => {
    const data = fitStandardiser(train, 3).apply([2, 20, 8]);
    expect([...data]).toEqual([0, 0, 1]);
  });
});

describe('scaling from least to greatest', () => {
  it('goes to 0 .. 1, a constant column to 0', () => {
    expect([...fitMinMax(train, 3).apply(train)]).toEqual([0, 0, 0, 1, 1, 0, 0.5, 0.5, 0]);
  });

  it('goes to the range asked for', () => {
    const result = fitMinMax(train, 3, { low: -1, high: 1 }).apply(train);
    expect([...result]).toEqual([-1, -1, -1, 1, 1, -1, 0, 0, -1]);
  });
});

describe.each([
  ['standardiser', fitStandardiser],
  ['scaler from least to greatest', fitMinMax],
])('a %s', (_, fit) => {
  it('is inverted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 20 }),
        (values) => {
          const scaler = fit(values, 1);
          const back = scaler.invert(scaler.apply(Float64Array.from(values)));
          for (const [i, value] of back.entries()) expect(value).toBeCloseTo(values[i]!, 8);
        },
      ),
    );
  });

  it('is kept as plain JSON', () => {
    const scaler = fit(train, 3);
    const kept = JSON.stringify(scaler);
    expect(Object.keys(JSON.parse(kept) as object)).toEqual(['shift', 'scale']);
    expect(loadScaler(JSON.parse(kept)).apply(train)).toEqual(scaler.apply(train));
  });

  it('leaves float64 as it is, and makes float32 of everything else', () => {
    expect(fit(train, 3).apply(train)).toBeInstanceOf(Float64Array);
    expect(fit(train, 3).apply([...train])).toBeInstanceOf(Float32Array);
  });

  it.each<[string, () => unknown, string]>([
    ['nothing to fit to', () => fit([], 1), 'there is no row'],
    ['NaN', () => fit([1, 2, 3, NaN], 2), 'row 1, column 1 is NaN'],
    ['values that make no rows', () => fit([1, 2, 3], 2), '3 values do not divide into rows of 2 columns'],
    ['no columns', () => fit([1, 2, 3], 0), 'number of columns must be a whole number from 1, found 0'],
    ['other columns than it was fitted to', () => fit(train, 3).apply([1, 2]), 'rows of 3 columns'],
  ])('refuses %s', (_, act, words) => {
    expect(act).toThrow(DataError);
    expect(act).toThrow(words);
  });
});

it.each([
  null,
  {},
  { shift: [1] },
  { shift: [1], scale: [1, 2] },
  { shift: [1], scale: [0] },
  { shift: ['1'], scale: [1] },
  { shift: [], scale: [] },
])('%j is no scaler', (kept) => {
  expect(() => loadScaler(kept)).toThrow(DataError);
});

it('a range upside down is refused', () => {
  expect(() => fitMinMax([1, 2], 1, { low: 1, high: 0 })).toThrow(
    'low must be less than high, found 1 and 0',
  );
});

describe('one-hot', () => {
  it('puts a 1 in the place of the label', () => {
    expect(oneHot([2, 0], 3)).toEqual(Float32Array.of(0, 0, 1, 1, 0, 0));
  });

  it.each([3, -1, 0.5, NaN])('refuses label %s, and names its row', (label) => {
    expect(() => oneHot([0, label], 3)).toThrow(
      new DataError(`labels must be whole numbers from 0 to 2; found ${label} at row 1`),
    );
  });
});
