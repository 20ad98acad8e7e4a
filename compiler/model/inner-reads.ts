/**
 * Reads between the brackets of a read, `E[name[n, t - 1], d] else 0`. The graph has no place that does not exist: the inner
 * read is at a remainder, which is always inside, and a choice around the whole says where it is the place that is meant:
 *
 *     t >= 1 and t < 15 ? E[name[n, mod(t - 1, 14)], d] : 0
 */
import { binary, constant, indexValue, remainderIndex, select } from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression } from '../graph/types.ts';
import type { Elaboration, InnerPlace } from './elaboration.ts';

/** Runs `elaborate` with other places to be collected by the frame: none, or those of a read with `else`. */
export function collecting<T>(
  inner: InnerPlace[] | undefined,
  { frame }: Elaboration,
  elaborate: () => T,
): T {
  if (frame === undefined) return elaborate();
  const { inner: before } = frame;
  frame.inner = inner;
  const result = elaborate();
  frame.inner = before;
  return result;
}

/** The value where all places are inside, else the one for outside. */
export function whereInside(places: readonly InnerPlace[], value: Expression, outside: number): Expression {
  // t - 1 >= 0, written t >= 1
  const conditions = places.flatMap(({ index: { terms, constant: shift }, extent }) => [
    binary('greater_equal', indexValue({ terms, constant: 0 }), constant(-shift)),
    binary('less', indexValue({ terms, constant: 0 }), constant(extent - shift)),
  ]);
  if (conditions.length === 0) return value;
  return select(
    conditions.reduce((all, condition) => binary('and', all, condition)),
    value,
    constant(outside),
  );
}

/** A place that is inside for every value of its indices, and the same one where it was. */
export function kept(index: IndexExpression, extent: Extent): IndexExpression {
  return typeof extent === 'number' ? remainderIndex(index, extent) : index;
}
