/**
 * What a step of a recurrence alone reads needs no room for the others: of such a tensor one step is stored at a time. That is less
 * memory, and its rows lie side by side, so that a kernel may stream along them.
 */
import { isPlainIndex, isScatter } from '../graph/expressions.ts';
import { accesses, scanAxis } from '../graph/scan.ts';
import type { Tensor } from '../graph/types.ts';
import type { Group } from './groups.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/**
 * The tensors, with `stepAxis` set where one step is enough: a recurrence writes it, and nothing reads it but statements of the
 * same function at their own step. What is in `stored` is read from outside.
 */
export function storeOneStep(
  groups: readonly Group[],
  tensors: Tensors,
  stored: ReadonlySet<string>,
): Tensors {
  const local = localToSteps(groups, stored);
  if (local.size === 0) return tensors;
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const stepAxis = local.get(name);
      return [name, stepAxis === undefined ? tensor : { ...tensor, stepAxis }];
    }),
  );
}

/** Tensor -> its axis of steps. */
function localToSteps(groups: readonly Group[], stored: ReadonlySet<string>): Map<string, number> {
  const axes = new Map<string, number>();
  const home = new Map<string, Group>();
  for (const group of groups)
    for (const statement of group.statements) {
      const { target, scan } = statement;
      if (scan === undefined || stored.has(target) || isScatter(statement)) continue;
      // of a tiny model, several functions compute the same
      if (home.has(target)) axes.delete(target);
      else axes.set(target, scanAxis(statement));
      home.set(target, group);
    }
  for (const group of groups)
    for (const statement of group.statements)
      for (const { tensor, at } of accesses(statement)) {
        const axis = axes.get(tensor);
        if (axis === undefined) continue;
        const index = at[axis];
        const isOwnStep = index !== undefined && isPlainIndex(index) === statement.scan?.index;
        if (home.get(tensor) !== group || !isOwnStep) axes.delete(tensor);
      }
  return axes;
}
