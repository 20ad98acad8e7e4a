/** Values of the layers that rearrange: what is where. */
import { describe, expect, it } from 'vitest';
import { numbers, valueOf } from './support.ts';

const x = numbers(24, 3);

describe('shapes', () => {
  it.each(['24', '1, 24', '2, 12', '2, 3, 4', '1, 2, 3, 4', '2, 3, 2, 1, 2', '1, 2, 1, 3, 1, 4'])(
    'flatten keeps the values and their order, of any number of axes: [%s]',
    (shape) => {
      expect(valueOf(`input x[${shape}]`, 'x |> flatten', { x })).toEqual(x);
    },
  );

  it('upsampling repeats each place', () => {
    expect(valueOf('input x[1, 1, 2, 1]', 'x |> upsample2d', { x: [1, 2] })).toEqual([
      1, 1, 2, 2, 1, 1, 2, 2,
    ]);
    expect(valueOf('input x[1, 2, 2]', 'x |> upsample1d(2)', { x: [1, 2, 3, 4] })).toEqual([
      1, 2, 1, 2, 3, 4, 3, 4,
    ]);
  });

  it('concat puts the one after the other', () => {
    const own = { x: [1, 2], z: [3, 4, 5, 6] };
    expect(valueOf('input x[2, 1]\ninput z[2, 2]', 'concat(x, z)', own)).toEqual([1, 3, 4, 2, 5, 6]);
  });

  it('highway is its input where the gate is shut', () => {
    const row = numbers(4, 2);
    const got = valueOf('input x[4]', 'x |> highway', { x: row, y_bg: [-99, -99, -99, -99] });
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(row[i]!, 10);
  });
});

describe('padding', () => {
  it.each([
    ['zero', [0, 0, 1, 2, 3, 0, 0]],
    ['edge', [1, 1, 1, 2, 3, 3, 3]],
    ['reflect', [3, 2, 1, 2, 3, 2, 1]],
    ['circular', [2, 3, 1, 2, 3, 1, 2]],
  ])('of a sequence: %s', (kind, wanted) => {
    expect(valueOf('input x[1, 3, 1]', `x |> ${kind}_pad1d(2)`, { x: [1, 2, 3] })).toEqual(wanted);
  });

  it.each([
    ['zero', [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0]],
    ['edge', [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]],
    ['reflect', [4, 3, 4, 3, 2, 1, 2, 1, 4, 3, 4, 3, 2, 1, 2, 1]],
    ['circular', [4, 3, 4, 3, 2, 1, 2, 1, 4, 3, 4, 3, 2, 1, 2, 1]],
  ])('of a picture, with its corners: %s', (kind, wanted) => {
    expect(valueOf('input x[1, 2, 2, 1]', `x |> ${kind}_pad2d(1)`, { x: [1, 2, 3, 4] })).toEqual(wanted);
  });
});
