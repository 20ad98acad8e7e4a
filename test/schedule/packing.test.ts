import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from '../../compiler/schedule/packing.ts';
import type { Block, Relations } from '../../compiler/schedule/packing.ts';

const lives = (block: Block): [number, number] => [block.first, block.first + block.span - 1];

const overlap = (a: Block, b: Block): boolean => {
  const [[from, to], [first, last]] = [lives(a), lives(b)];
  return from <= last && first <= to;
};

const byLives =
  (blocks: readonly Block[]): Relations =>
  (a, b) =>
    overlap(blocks[a]!, blocks[b]!) ? 'apart' : 'free';

const least = (blocks: readonly Block[]): number =>
  Math.max(
    0,
    ...blocks.map(({ first }) =>
      blocks
        .filter((block) => lives(block)[0] <= first && first <= lives(block)[1])
        .reduce((total, { size }) => total + size, 0),
    ),
  );

describe('packing', () => {
  const blocks = fc.array(
    fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      first: fc.nat(20),
      span: fc.integer({ min: 1, max: 8 }),
    }),
    { maxLength: 25 },
  );

  it('never lays what is alive together over one another', () => {
    fc.assert(
      fc.property(blocks, (given) => {
        const { offsets, size } = pack(given, byLives(given), 0);
        for (const [a, left] of given.entries()) {
          const from = offsets[a]!;
          expect(from + left.size).toBeLessThanOrEqual(size);
          for (const [b, right] of given.entries()) {
            if (a === b || !overlap(left, right)) continue;
            expect(from + left.size <= offsets[b]! || offsets[b]! + right.size <= from).toBe(true);
          }
        }
      }),
    );
  });

  it('stays near what is alive at one moment', () => {
    fc.assert(
      fc.property(blocks, (given) => {
        expect(pack(given, byLives(given), least(given)).size).toBeLessThanOrEqual(1.3 * least(given));
      }),
    );
  });

  it('lets an heir take over a place wholly or not at all', () => {
    const given = [
      { size: 4, first: 0, span: 2 },
      { size: 4, first: 1, span: 2 },
      { size: 3, first: 1, span: 2 },
    ];
    const { offsets, size } = pack(given, (a, b) => (a + b === 1 ? 'heir' : 'apart'), 0);
    expect(offsets).toEqual([0, 0, 4]);
    expect(size).toBe(7);
  });
});
