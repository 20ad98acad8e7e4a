/** Terms of a recurrence, seen from the step that they read. */
import { indexOf, substituteIndices, subtractIndex } from '../graph/expressions.ts';
import type { IndexExpression } from '../graph/types.ts';
import type { Term } from './differential.ts';
import type { ConditionalTerm } from './digits.ts';

/**
 * The term with its scan index counting the step that is read instead of the one that is written: a read of the axis at
 * t - c becomes one at t, and everything else moves to t + c, which must be one of the steps.
 */
export function atStep(term: Term, index: string, axis: number): ConditionalTerm {
  const { read, write, factor, indices } = term;
  const lag = subtractIndex(indexOf(index), read.at[axis] ?? indexOf(index));
  const later: IndexExpression = { ...indexOf(index), constant: lag.constant };
  const moved = new Map([[index, later]]);
  const extent = indices.find(({ name }) => name === index)?.extent ?? 0;
  return {
    term: {
      indices,
      write: write.map((at) => substituteIndices(at, moved)),
      read: { ...read, at: read.at.map((at) => substituteIndices(at, moved)) },
      factor: substituteIndices(factor, moved),
    },
    conditions: [{ value: later, extent }],
  };
}
