/**
 * Reads with a border, `x[n, i - 1] else reflect`: where a place p of an axis of E places is outside, an element inside is
 * read in its stead. The read becomes a choice of reads, of which each is an ordinary one and is inverted as such:
 *
 *   edge        p < 0 ? x[0]     : p < E ? x[p] : x[E - 1]
 *   reflect     p < 0 ? x[-p]    : p < E ? x[p] : x[2 (E - 1) - p]       p from 1 - E to 2 (E - 1)
 *   circular    p < 0 ? x[p + E] : p < E ? x[p] : x[p - E]               p from -E to 2 E - 1
 *
 * Where a place is never outside the choice is decided, and gone, when the extents are known (rewrite/simplify.ts).
 */
import {
  addIndex,
  binary,
  constant,
  constantIndex,
  indexValue,
  isConstantIndex,
  scaleIndex,
  select,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression } from '../graph/types.ts';
import type { Border } from '../syntax/tree.ts';
import type { Elaboration, RangeCheck } from './elaboration.ts';

interface BorderRule {
  /** The place that is read for p < 0. */
  readonly before: (p: IndexExpression, extent: number) => IndexExpression;
  /** The place that is read for p >= extent. */
  readonly after: (p: IndexExpression, extent: number) => IndexExpression;
  /** How far beyond either end a place may be. */
  readonly reach: (extent: number) => number;
}

const shifted = (p: IndexExpression, by: number): IndexExpression => addIndex(p, constantIndex(by));
const mirrored = (p: IndexExpression, about: number): IndexExpression => shifted(scaleIndex(p, -1), about);

const rules: Readonly<Record<Border, BorderRule>> = {
  edge: {
    before: () => constantIndex(0),
    after: (_, extent) => constantIndex(extent - 1),
    reach: () => Infinity,
  },
  reflect: {
    before: (p) => mirrored(p, 0),
    after: (p, extent) => mirrored(p, 2 * (extent - 1)),
    reach: (extent) => extent - 1,
  },
  circular: {
    before: (p, extent) => shifted(p, extent),
    after: (p, extent) => shifted(p, -extent),
    reach: (extent) => extent,
  },
};

/** An axis at which a read may be outside: the place, and the number of places. */
export interface BorderAxis {
  readonly axis: number;
  readonly extent: number;
}

/** The choice among the reads that `element` makes of places, for all axes that have a border. */
export function withBorder(
  border: Border,
  axes: readonly BorderAxis[],
  at: readonly IndexExpression[],
  element: (at: readonly IndexExpression[]) => Expression,
): Expression {
  const [first, ...others] = axes;
  const place = first && at[first.axis];
  if (first === undefined || place === undefined) return element(at);
  const { axis, extent } = first;
  const readAt = (index: IndexExpression): Expression =>
    withBorder(border, others, at.with(axis, index), element);
  const { before, after } = rules[border];
  const fixed = isConstantIndex(place);
  if (fixed !== undefined)
    return readAt(fixed < 0 ? before(place, extent) : fixed < extent ? place : after(place, extent));
  return select(
    isBelow(place, 0),
    readAt(before(place, extent)),
    select(isBelow(place, extent), readAt(place), readAt(after(place, extent))),
  );
}

/** i - 1 < 5, written i < 6. */
const isBelow = ({ terms, constant: shift }: IndexExpression, end: number): Expression =>
  binary('less', indexValue({ terms, constant: 0 }), constant(end - shift));

/** What must hold of a place: `edge` goes on for ever, the others have only as many elements as the axis. */
export function checkReach(border: Border, check: RangeCheck, { frame }: Elaboration): void {
  const { index, extent } = check;
  if (typeof extent !== 'number' || border === 'edge') return;
  const reach = rules[border].reach(extent);
  frame?.checks.push({
    ...check,
    index: shifted(index, reach),
    extent: extent + 2 * reach,
    late: true,
    border: { border, reach, extent },
  });
}
