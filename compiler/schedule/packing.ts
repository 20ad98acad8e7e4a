/**
 * Places in one array for blocks that are alive at different times: which of several good orders of first fit needs the
 * least (finding the best of all is NP-hard: Garey and Johnson 1979, problem SR2). What stands highest at the end is then put
 * first and all is placed anew, as long as that helps.
 */
export interface Block {
  readonly size: number;
  /** When it is first written, and how long it lives: orders to try. */
  readonly first: number;
  readonly span: number;
}

/** How two blocks get on: `apart` never overlap; `heir` only wholly, if at all; `free` as they like. */
export type Relations = (a: number, b: number) => 'free' | 'heir' | 'apart';

export interface Packing {
  readonly offsets: readonly number[];
  readonly size: number;
}

type Order = (a: Block, b: Block) => number;

/** Ties go to the earlier block, so that a later one can take over its place. */
const orders: readonly Order[] = [
  (a, b) => b.size - a.size || a.first - b.first,
  (a, b) => b.size * b.span - a.size * a.span || a.first - b.first,
  (a, b) => b.span - a.span || b.size - a.size || a.first - b.first,
  (a, b) => a.first - b.first || b.size - a.size,
];

/** No more work than this for one array, in pairs of blocks looked at. */
const mostPairs = 20_000_000;

/** Offsets for all blocks; it stops looking when the array is no larger than `enough`. */
export function pack(blocks: readonly Block[], relations: Relations, enough: number): Packing {
  const related = blocks.map((_, a) =>
    blocks.flatMap((__, b) => (a === b || relations(a, b) === 'free' ? [] : [b])),
  );
  const place = (order: readonly number[]): Packing => firstFit(blocks, relations, related, order);
  const plain = blocks.map((_, block) => block);
  const sorted = orders.map((order) =>
    plain.toSorted((a, b) => {
      const [left, right] = [blocks[a], blocks[b]];
      return left && right ? order(left, right) : 0;
    }),
  );
  let best: { readonly order: readonly number[]; readonly packing: Packing } | undefined;
  for (const order of sorted) {
    const packing = place(order);
    if (best === undefined || packing.size < best.packing.size) best = { order, packing };
    if (best.packing.size <= enough) return best.packing;
  }
  if (best === undefined) return { offsets: [], size: 0 };
  const pairs = Math.max(
    1,
    related.reduce((total, { length }) => total + length, 0),
  );
  let { order, packing } = best;
  for (let turn = 0; turn < Math.min(200, mostPairs / pairs); turn++) {
    const top = plain.find((block) => endOf(blocks, packing, block) === packing.size) ?? 0;
    order = [top, ...order.filter((block) => block !== top)];
    packing = place(order);
    if (packing.size < best.packing.size) best = { order, packing };
    if (best.packing.size <= enough) break;
  }
  return best.packing;
}

const endOf = (blocks: readonly Block[], { offsets }: Packing, block: number): number =>
  (offsets[block] ?? 0) + (blocks[block]?.size ?? 0);

function firstFit(
  blocks: readonly Block[],
  relations: Relations,
  related: readonly (readonly number[])[],
  order: readonly number[],
): Packing {
  const offsets: (number | undefined)[] = blocks.map(() => undefined);
  let whole = 0;
  for (const block of order) {
    const size = blocks[block]?.size ?? 0;
    const rivals = (related[block] ?? []).flatMap((rival) => {
      const from = offsets[rival];
      return from === undefined ? [] : [{ rival, from, to: from + (blocks[rival]?.size ?? 0) }];
    });
    rivals.sort((a, b) => a.from - b.from);
    // A place to take over costs nothing.
    const heirloom = rivals.find(
      ({ rival, from, to }) =>
        to - from === size &&
        relations(rival, block) === 'heir' &&
        rivals.every(
          (other) =>
            other.to <= from ||
            other.from >= to ||
            (other.from === from && other.to === to && relations(other.rival, block) === 'heir'),
        ),
    );
    let offset = heirloom?.from ?? 0;
    if (heirloom === undefined)
      for (const { from, to } of rivals) {
        if (offset + size <= from) break;
        offset = Math.max(offset, to);
      }
    offsets[block] = offset;
    whole = Math.max(whole, offset + size);
  }
  return { offsets: offsets.map((offset) => offset ?? 0), size: whole };
}
