/**
 * Which block of the held operand suits a contraction: rule tables, the first rule that applies counts, and an estimate of
 * what a call costs. Measured on Node 20 (f32, one core, GFLOP/s of c += a · b with a block of a held): 16 x 8 7.4,
 * 12 x 8 7.3, 8 x 8 6.7, 4 x 16 4.5; from 16 x 16 on, the constants cost more than they save.
 */

/** Rows and terms of a sum that a block holds. */
export interface BlockShape {
  readonly rows: number;
  readonly terms: number;
}

interface BlockRule {
  /** `extent` is undefined where it is known at run time only; `colliding`: rows of the target fall on the same lines of the cache. */
  readonly block: (extent: number | undefined, colliding: boolean) => number | undefined;
  readonly why: string;
}

const usual: BlockShape = { rows: 16, terms: 8 };

/** The greatest number of these that divides the extent. */
const divisor = (extent: number, greatest: number, least: number): number | undefined => {
  for (let of = greatest; of >= least; of--) if (extent % of === 0) return of;
  return undefined;
};

/** Lines of the first cache with the same last bits of their address that it keeps. */
export const ways = 8;

const rowRules: readonly BlockRule[] = [
  {
    block: (extent, colliding) => (colliding && (extent ?? Infinity) > ways ? ways : undefined),
    why: `rows fall on the same lines of the cache, which keeps ${ways} of them`,
  },
  {
    block: (extent) => (extent !== undefined && extent <= usual.rows ? extent : undefined),
    why: 'all rows in one block',
  },
  {
    block: (extent) =>
      extent !== undefined && extent < 4 * usual.rows ? divisor(extent, usual.rows, 10) : undefined,
    why: 'no rows are left over',
  },
  { block: () => usual.rows, why: `blocks of ${usual.rows} rows: most products for a load` },
];

const termRules: readonly BlockRule[] = [
  {
    block: (extent) => (extent !== undefined && extent <= 10 ? extent : undefined),
    why: 'all terms in one block',
  },
  {
    block: (extent) =>
      extent !== undefined && extent % usual.terms !== 0 && extent < 8 * usual.terms
        ? divisor(extent, 10, 5)
        : undefined,
    why: 'no terms are left over',
  },
  { block: () => usual.terms, why: `sums of ${usual.terms} terms at a time` },
];

export interface ChosenBlock extends BlockShape {
  readonly why: string;
}

/** The block for a contraction of so many rows and terms. */
export function chooseBlock(
  rows: number | undefined,
  terms: number | undefined,
  colliding = false,
): ChosenBlock {
  const first = (rules: readonly BlockRule[], extent: number | undefined): [number, string] => {
    for (const { block, why } of rules) {
      const size = block(extent, colliding);
      if (size !== undefined) return [size, why];
    }
    return [1, ''];
  };
  const [height, whyHeight] = first(rowRules, rows);
  const [width, whyWidth] = first(termRules, terms);
  return { rows: height, terms: width, why: `${whyHeight}, ${whyWidth}` };
}

/** The block of contractions that are little of a program's work. */
export const usualBlock: ChosenBlock = { ...usual, why: 'the usual ones, as this is little of the work' };

/** The block of all contractions where shapes are not looked at. */
export const plainBlock: ChosenBlock = { rows: 8, terms: 8, why: 'the same for all' };

/** What is left over is taken by so many rows or terms, then one by one. */
const rest = 4;

/**
 * The blocks that cover so many rows and terms, whatever they turn out to be where they are not known: the terms in whole
 * blocks, those left over in blocks of few rows.
 */
export function blocksFor(
  shape: BlockShape,
  rows: number | undefined,
  terms: number | undefined,
): BlockShape[] {
  const few = Math.min(rest, shape.rows);
  const wide = terms === undefined || terms >= shape.terms ? [shape.terms] : [];
  const over = terms === undefined ? undefined : terms % shape.terms;
  // what is left of a batch is seldom worth a block of its own
  const narrow = over === undefined ? [1] : sizesFor(withRest(shape.terms).slice(1), over);
  return [
    ...wide.flatMap((width) =>
      sizesFor(withRest(shape.rows), rows).map((height) => ({ rows: height, terms: width })),
    ),
    ...narrow
      .filter((width) => width < shape.terms)
      .flatMap((width) => sizesFor([few, 1], rows).map((height) => ({ rows: height, terms: width }))),
  ];
}

/** The block, and what takes the rest: so that each begins at a multiple of its size. */
function withRest(size: number): number[] {
  return size > rest && size % rest === 0 ? [size, rest, 1] : [size, 1];
}

/** Those of the sizes that cover an extent; all, where it is not known. */
function sizesFor(sizes: readonly number[], extent: number | undefined): number[] {
  const falling = sizes.filter((size, place) => place === 0 || size < (sizes[place - 1] ?? 0));
  return extent === undefined ? falling : stepsOf(falling, extent).map(({ size }) => size);
}

function stepsOf(sizes: readonly number[], extent: number): { size: number; count: number }[] {
  let left = extent;
  return sizes.flatMap((size) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count > 0 ? [{ size, count }] : [];
  });
}

export interface CallShape {
  /** Extents, assumed ones for those known at run time only. */
  readonly rows: number;
  readonly columns: number;
  readonly lines: number;
  readonly terms: number;
  readonly block: BlockShape;
  /** How much longer a step of the stream takes because of where it falls in the cache. */
  readonly distance: number;
}

/** An estimate of a kernel call's instructions, fitted to measurements. */
export function costOfCall({ rows, columns, lines, terms, block, distance }: CallShape): number {
  const widths = stepsOf(withRest(block.terms), terms);
  let total = 100;
  for (const { size: u, count: wide } of widths) {
    const heights = u === block.terms ? withRest(block.rows) : [rest, 1];
    for (const { size: r, count: high } of stepsOf(heights, rows)) {
      // An element of c is loaded, converted, stored; one of b loaded and converted; a product and its sum are two.
      const step = (13 * r + 10 * u + 2.6 * r * u) * distance;
      // measured: to load a block of 16 x 8 takes as long as 5.5 steps of its stream
      const hold = 26 * r * u + 60;
      total += high * wide * (hold + lines * (columns * step + 15));
    }
  }
  return total;
}
