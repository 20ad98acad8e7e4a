/** The search for the element in which a gradient is most wrong, with far fewer evaluations than there are elements. */
import { Random } from '../../runtime/random.ts';

/** The derivative along a direction of this many elements. */
export type SlopeAlong = (direction: Float64Array) => number;

const PARTS = 8;
const KEPT = 3;
const MOST_AT_ONCE = 24;

/**
 * The place of an element in which gradient and slope differ as much as in any other, as far as can be told: parts of the tensor
 * are compared along random directions of theirs, and those with the greatest differences are divided further.
 */
export function worstPlace(gradient: Float64Array, slopeAlong: SlopeAlong, seed: number): number {
  const random = new Random(seed, 'check search');
  const off = (from: number, to: number): number => {
    const direction = new Float64Array(gradient.length);
    let expected = 0;
    for (let i = from; i < to; i++) {
      direction[i] = random.uniform() < 0.5 ? -1 : 1;
      expected += (direction[i] ?? 0) * (gradient[i] ?? 0);
    }
    const difference = Math.abs(slopeAlong(direction) - expected);
    return Number.isFinite(difference) ? difference : Infinity;
  };
  let parts: Part[] = [{ from: 0, to: gradient.length, off: 0 }];
  while (parts.some(({ from, to }) => to - from > 1)) {
    const width = Math.max(...parts.map(({ from, to }) => to - from));
    const finer = parts.flatMap((part) =>
      divided(part, width * parts.length <= MOST_AT_ONCE ? width : PARTS),
    );
    const measured = finer.map(({ from, to }) => ({ from, to, off: off(from, to) }));
    parts = measured.toSorted((a, b) => b.off - a.off).slice(0, KEPT);
  }
  return parts[0]?.from ?? 0;
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly off: number;
}

function divided({ from, to }: Part, into: number): { from: number; to: number }[] {
  const size = Math.max(1, Math.ceil((to - from) / into));
  const parts: { from: number; to: number }[] = [];
  for (let start = from; start < to; start += size)
    parts.push({ from: start, to: Math.min(to, start + size) });
  return parts;
}

/** `W1[3, 17]`; `w` of a tensor without axes. */
export function elementName(name: string, shape: readonly number[], place: number): string {
  if (shape.length === 0) return name;
  let rest = place;
  const indices = shape.toReversed().map((size) => {
    const index = rest % size;
    rest = Math.floor(rest / size);
    return index;
  });
  return `${name}[${indices.toReversed().join(', ')}]`;
}
