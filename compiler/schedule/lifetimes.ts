/**
 * When tensors are alive, in each list of steps, and which may be written over which: in training forward then backward,
 * in evaluation and in prediction. Tensors that are the same memory (aliases.ts) live and die together.
 */
import { constantIndex, fetchedTensors, isPlainIndex, reads, tensorsReadBy } from '../graph/expressions.ts';
import type { Statement, Tensor } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import { sameFlat } from './aliases.ts';
import { isElementwise } from './groups.ts';
import type { Group } from './groups.ts';
import { elementsOf, equalMonomials } from './integers.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** When a tensor is alive, as positions in one list of groups, both included. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly groups: readonly Group[];
  readonly tensors: Tensors;
  /** Tensor -> the one whose memory it is. */
  readonly aliases: ReadonlyMap<string, string>;
  /** By the names of those whose memory it is. */
  readonly alive: ReadonlyMap<string, Interval>;
}

/** Random tensors are drawn before the first group. */
const drawn = -1;

const none: ReadonlyMap<string, string> = new Map();

/** Lifetimes over one list of groups; what is in `kept` lives to its end. */
export function timelineOf(
  groups: readonly Group[],
  kept: ReadonlySet<string>,
  tensors: Tensors,
  aliases: ReadonlyMap<string, string> = none,
): Timeline {
  const alive = new Map<string, { from: number; to: number }>();
  const rootOf = (tensor: string): string => aliases.get(tensor) ?? tensor;
  groups.forEach((group, position) => {
    for (const statement of group.statements) {
      for (const tensor of tensorsReadBy(statement)) {
        const root = rootOf(tensor);
        const interval = alive.get(root);
        if (interval) interval.to = position;
        else if (tensors.get(root)?.role === 'random') alive.set(root, { from: drawn, to: position });
      }
      const written = alive.get(statement.target);
      // what two groups compute must hold while either writes it
      if (written) written.to = Math.max(written.to, position);
      else alive.set(statement.target, { from: position, to: position });
    }
  });
  for (const tensor of kept) {
    const interval = alive.get(rootOf(tensor));
    if (interval) interval.to = groups.length;
  }
  return { groups, tensors, aliases, alive };
}

/** `free`: never alive together; `heir`: one may be written over the other element by element; `apart` otherwise. */
export type Relation = 'free' | 'heir' | 'apart';

export function relation(a: Tensor, b: Tensor, timelines: readonly Timeline[]): Relation {
  let result: 'free' | 'heir' = 'free';
  for (const timeline of timelines) {
    const { alive } = timeline;
    const first = alive.get(a.name);
    const second = alive.get(b.name);
    if (!first || !second || first.to < second.from || second.to < first.from) continue;
    const inherits = inheritsIn(timeline, first, second, a, b) || inheritsIn(timeline, second, first, b, a);
    if (!inherits) return 'apart';
    result = 'heir';
  }
  return result;
}

/**
 * In the one group in which `old` is read for the last time and `next` is written, every element of `old` must be read at
 * the place at which `next` is written, by statements not after the one that writes it. Where statements share only the loop
 * over rows, the values of a row may read all of that row: they are complete before its results are stored.
 */
export function inheritsIn(timeline: Timeline, old: Interval, next: Interval, a: Tensor, b: Tensor): boolean {
  const { groups, tensors, aliases } = timeline;
  const group = groups[next.from];
  if (!group || old.to !== next.from || old.from === next.from || a.element !== b.element) return false;
  if (!equalMonomials(elementsOf(a.axes), elementsOf(b.axes))) return false;
  // what one step leaves is written again by the next
  if (a.stepAxis !== undefined || b.stepAxis !== undefined) return false;
  const writer = group.statements.findIndex((statement) => statement.target === b.name);
  const isOld = (tensor: string): boolean => (aliases.get(tensor) ?? tensor) === a.name;
  return group.statements.every((statement, position) => {
    const concerned = position === writer || [...tensorsReadBy(statement)].some(isOld);
    if (!concerned) return true;
    if (position > writer) return false;
    if (group.rowwise === true && position < writer) return readsItsRow(statement, isOld, b, tensors);
    return isElementwise(statement, tensors) && readsAtItsPlace(statement, isOld, tensors);
  });
}

/** True if a value per row reads these tensors in its own row only, and rows are those of `next`. */
function readsItsRow(
  { write, body, finish }: Statement,
  isOld: (tensor: string) => boolean,
  next: Tensor,
  tensors: Tensors,
): boolean {
  const row = write.map(isPlainIndex);
  return (finish ? [body, finish] : [body]).every(
    (expression) =>
      ![...fetchedTensors(expression)].some(isOld) &&
      reads(expression)
        .filter(({ tensor }) => isOld(tensor))
        .every(({ tensor, at, outside }) => {
          const axes = tensors.get(tensor)?.axes ?? [];
          return (
            outside === undefined &&
            row.every(
              (name, axis) =>
                name !== undefined &&
                axes[axis] === next.axes[axis] &&
                isPlainIndex(at[axis] ?? constantIndex(0)) === name,
            )
          );
        }),
  );
}

/** True if every read of these tensors is at the very place in memory that the statement writes. */
function readsAtItsPlace(
  statement: Statement,
  isOld: (tensor: string) => boolean,
  tensors: Tensors,
): boolean {
  const { target, write, body, finish } = statement;
  const written = flatten(storedAs(tensors, target), write);
  return (finish ? [body, finish] : [body]).every(
    (expression) =>
      ![...fetchedTensors(expression)].some(isOld) &&
      reads(expression)
        .filter(({ tensor }) => isOld(tensor))
        .every(
          ({ tensor, at, outside }) =>
            outside === undefined && sameFlat(flatten(storedAs(tensors, tensor), at), written),
        ),
  );
}
