/**
 * How much memory the intermediates take, beside what they must take: the largest sum of what is alive at one moment. A
 * result that may be written over an operand counts once with it. No arrangement needs less.
 */
import type { Tensor } from '../graph/types.ts';
import { bufferAxes } from './access.ts';
import { elementsOf, evaluateSize } from './integers.ts';
import { inheritsIn } from './lifetimes.ts';
import type { Timeline } from './lifetimes.ts';
import type { LoopProgram, Size } from './types.ts';

export interface MemoryReport {
  /** Bytes of all intermediates as they lie in their arrays. */
  readonly bytes: number;
  /** The largest sum of bytes alive at one moment of any list. */
  readonly least: number;
  /** bytes / least; 1 where there are none. */
  readonly ratio: number;
}

/** The memory of a program's intermediates for batches of so many rows. */
export function memoryOf(loops: LoopProgram, batch = 1): MemoryReport {
  const { pools, dtype } = loops;
  const symbols = [pools.workspace, pools.doubles, pools.integers, ...loops.moments.flat()];
  const extents = new Map(symbols.flatMap(({ symbol }) => (symbol === undefined ? [] : [[symbol, batch]])));
  const at = (size: Size): number => evaluateSize(size, extents);
  const bytes =
    at(pools.workspace) * (dtype === 'f32' ? 4 : 8) + at(pools.doubles) * 8 + at(pools.integers) * 4;
  const least = loops.moments.flat().reduce((most, moment) => Math.max(most, at(moment)), 0);
  return { bytes, least, ratio: least === 0 ? 1 : bytes / least };
}

/** What is alive while each group of a list runs: the sum of `sizeOf`, by the degree of the tensor's size in the batch. */
export function momentsOf(
  timeline: Timeline,
  tensors: readonly Tensor[],
  sizeOf: (tensor: Tensor) => number,
): [number, number, number][] {
  const moments = timeline.groups.map((): [number, number, number] => [0, 0, 0]);
  const [born, dying] = [new Map<number, Tensor[]>(), new Map<number, Tensor[]>()];
  const note = (map: Map<number, Tensor[]>, position: number, tensor: Tensor): void => {
    const list = map.get(position);
    if (list) list.push(tensor);
    else map.set(position, [tensor]);
  };
  const add = (position: number, tensor: Tensor, sign: number): void => {
    const moment = moments[position];
    const degree = elementsOf(bufferAxes(tensor)).symbols.length;
    if (moment) moment[degree] = (moment[degree] ?? 0) + sign * sizeOf(tensor);
  };
  for (const tensor of tensors) {
    const interval = timeline.alive.get(tensor.name);
    if (interval === undefined) continue;
    note(born, interval.from, tensor);
    note(dying, interval.to, tensor);
    for (let position = Math.max(0, interval.from); position <= interval.to; position++)
      add(position, tensor, 1);
  }
  for (const [position, heirs] of born)
    for (const heir of inheriting(timeline, heirs, dying.get(position) ?? [])) add(position, heir, -1);
  return moments;
}

/** The most tensors that can each take over the place of a dying one of its own (augmenting paths, Berge 1957). */
function inheriting(timeline: Timeline, heirs: readonly Tensor[], dying: readonly Tensor[]): Tensor[] {
  const edges = new Map<Tensor, Tensor[]>();
  for (const heir of heirs) {
    const next = timeline.alive.get(heir.name);
    const from = dying.filter((old) => {
      const interval = timeline.alive.get(old.name);
      return next !== undefined && interval !== undefined && inheritsIn(timeline, interval, next, old, heir);
    });
    if (from.length > 0) edges.set(heir, from);
  }
  const heirOf = new Map<Tensor, Tensor>();
  const settle = (heir: Tensor, tried: Set<Tensor>): boolean => {
    for (const old of edges.get(heir) ?? []) {
      if (tried.has(old)) continue;
      tried.add(old);
      const rival = heirOf.get(old);
      if (rival !== undefined && !settle(rival, tried)) continue;
      heirOf.set(old, heir);
      return true;
    }
    return false;
  };
  for (const heir of edges.keys()) settle(heir, new Set());
  return [...heirOf.values()];
}
