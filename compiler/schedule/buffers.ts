/**
 * Where every tensor lives. Intermediates share the workspace by liveness: two may have the same place if in no list of
 * steps (training: forward then backward; prediction) both are alive at once. Tensors of constant size, of size ~ batch and
 * of size ~ batch² have regions of their own, each filled first-fit, largest first, so that nothing overlaps for any batch.
 */
import { tensorsReadBy } from '../graph/expressions.ts';
import type { ElementType, Program, Statement, Tensor } from '../graph/types.ts';
import { isElementwise, readsInPlace } from './groups.ts';
import type { Group } from './groups.ts';
import { elementsOf, makeSize } from './integers.ts';
import type { Buffer, LoopProgram } from './types.ts';

type Pool = Buffer['pool'];

/** When a tensor is alive, as positions in one list of groups, both included. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly groups: readonly Group[];
  /** Statements that write an element after reading at its place, and nothing before: no fill of the whole target. */
  readonly elementwise: ReadonlySet<Statement>;
  readonly alive: ReadonlyMap<string, Interval>;
}

const poolOf: Readonly<Record<ElementType, Pool>> = {
  real: 'workspace',
  double: 'doubles',
  integer: 'integers',
};

/** Random tensors are drawn before the first group. */
const drawn = -1;

/** Lifetimes over one list of groups; what is in `kept` lives to its end. */
export function timelineOf(
  groups: readonly Group[],
  kept: ReadonlySet<string>,
  tensors: ReadonlyMap<string, Tensor>,
): Timeline {
  const alive = new Map<string, { from: number; to: number }>();
  groups.forEach((group, position) => {
    for (const statement of group.statements) {
      for (const tensor of tensorsReadBy(statement)) {
        const interval = alive.get(tensor);
        if (interval) interval.to = position;
        else if (tensors.get(tensor)?.role === 'random') alive.set(tensor, { from: drawn, to: position });
      }
      alive.set(statement.target, { from: position, to: position });
    }
  });
  for (const [tensor, interval] of alive) if (kept.has(tensor)) interval.to = groups.length;
  const elementwise = groups
    .flatMap((group) => group.statements)
    .filter((statement) => isElementwise(statement, tensors));
  return { groups, elementwise: new Set(elementwise), alive };
}

/** The degree (0: constant, 1: ~ batch, 2: ~ batch²) and the number of elements per batch^degree. */
function shape(tensor: Tensor): { degree: number; count: number; symbol: string | undefined } {
  const { coefficient, symbols } = elementsOf(tensor.axes);
  return { degree: symbols.length, count: coefficient, symbol: symbols[0] };
}

interface Place {
  readonly tensor: Tensor;
  readonly degree: number;
  readonly count: number;
  readonly offset: number;
}

export interface Plan {
  readonly buffers: Map<string, Buffer>;
  readonly pools: LoopProgram['pools'];
}

/** Every tensor's buffer. `order` gives parameters a place before the others; `inside` have none. */
export function planBuffers(
  program: Program,
  timelines: readonly Timeline[],
  options: { readonly order: readonly string[]; readonly inside: ReadonlySet<string> },
): Plan {
  const buffers = new Map<string, Buffer>();
  const symbols = [...program.tensors.values()].flatMap((tensor) => shape(tensor).symbol ?? []);
  const [symbol] = symbols;
  if (symbols.some((other) => other !== symbol)) throw new Error('a program has one run-time size at most');
  const totals: Record<Pool, [number, number, number]> = {
    parameters: [0, 0, 0],
    gradients: [0, 0, 0],
    state: [0, 0, 0],
    workspace: [0, 0, 0],
    doubles: [0, 0, 0],
    integers: [0, 0, 0],
    input: [0, 0, 0],
  };
  const put = (tensor: Tensor, pool: Pool, offset: readonly number[]): void => {
    const { degree, count } = shape(tensor);
    const size = [0, 0, 0];
    size[degree] = count;
    buffers.set(tensor.name, {
      tensor: tensor.name,
      role: tensor.role,
      element: tensor.element,
      axes: tensor.axes,
      size: makeSize(size, symbol),
      pool,
      offset: makeSize(offset, symbol),
    });
  };
  const append = (tensor: Tensor, pool: Pool): void => {
    const { degree, count } = shape(tensor);
    put(tensor, pool, totals[pool]);
    totals[pool][degree] = (totals[pool][degree] ?? 0) + count;
  };
  const tensorOf = (name: string): Tensor => {
    const tensor = program.tensors.get(name);
    if (!tensor) throw new Error(`the tensor '${name}' is not declared`);
    return tensor;
  };
  const gradients = new Set(program.gradients.values());
  for (const name of options.order) append(tensorOf(name), 'parameters');
  for (const name of options.order) {
    const gradient = program.gradients.get(name);
    if (gradient !== undefined) append(tensorOf(gradient), 'gradients');
  }
  const planned: Record<string, Tensor[]> = { workspace: [], doubles: [], integers: [] };
  for (const tensor of program.tensors.values()) {
    if (tensor.role === 'input') put(tensor, 'input', [0]);
    else if (tensor.role === 'state') append(tensor, 'state');
    else if (
      (tensor.role === 'intermediate' || tensor.role === 'random') &&
      !gradients.has(tensor.name) &&
      !options.inside.has(tensor.name)
    ) {
      if (timelines.some(({ alive }) => alive.has(tensor.name)))
        planned[poolOf[tensor.element]]?.push(tensor);
    }
  }
  for (const pool of ['workspace', 'doubles', 'integers'] as const) {
    const start = totals[pool];
    const places = place(planned[pool] ?? [], timelines);
    const ends = [...start] as [number, number, number];
    for (const { degree, count, offset } of places)
      ends[degree] = Math.max(ends[degree] ?? 0, (start[degree] ?? 0) + offset + count);
    // The constant region comes first, then the one that grows with the batch, then the quadratic one.
    for (const { tensor, degree, offset } of places) {
      const at = ends.map((end, region) => (region < degree ? end : 0));
      at[degree] = (start[degree] ?? 0) + offset;
      put(tensor, pool, at);
    }
    totals[pool] = ends;
  }
  const ordered = new Map<string, Buffer>();
  for (const name of program.tensors.keys()) {
    const buffer = buffers.get(name);
    if (buffer) ordered.set(name, buffer);
  }
  const sizes = Object.entries(totals).map(([pool, parts]) => [pool, makeSize(parts, symbol)]);
  return { buffers: ordered, pools: Object.fromEntries(sizes) as LoopProgram['pools'] };
}

/** First-fit, the largest first; among equal ones the earliest, so that a later one can take over its place. */
function place(tensors: readonly Tensor[], timelines: readonly Timeline[]): Place[] {
  const first = (tensor: Tensor): number =>
    Math.min(...timelines.map(({ alive }) => alive.get(tensor.name)?.from ?? Infinity));
  const sorted = tensors.toSorted((a, b) => shape(b).count - shape(a).count || first(a) - first(b));
  const places: Place[] = [];
  for (const tensor of sorted) {
    const { degree, count } = shape(tensor);
    const others = places.filter((other) => other.degree === degree);
    const rivals = others.filter((other) => relation(other.tensor, tensor, timelines) !== 'free');
    const heirloom = rivals.find(
      (other) =>
        other.count === count &&
        relation(other.tensor, tensor, timelines) === 'heir' &&
        rivals.every(
          (rival) =>
            rival === other ||
            rival.offset + rival.count <= other.offset ||
            rival.offset >= other.offset + count,
        ),
    );
    const offset = heirloom ? heirloom.offset : firstGap(rivals, count);
    places.push({ tensor, degree, count, offset });
  }
  return places;
}

function firstGap(rivals: readonly Place[], count: number): number {
  let offset = 0;
  for (const rival of rivals.toSorted((a, b) => a.offset - b.offset)) {
    if (offset + count <= rival.offset) return offset;
    offset = Math.max(offset, rival.offset + rival.count);
  }
  return offset;
}

/** `free`: never alive together; `heir`: one may be written over the other element by element; `apart` otherwise. */
export function relation(a: Tensor, b: Tensor, timelines: readonly Timeline[]): 'free' | 'heir' | 'apart' {
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
 * its own place, by statements not after the one that writes `next`.
 */
function inheritsIn(timeline: Timeline, old: Interval, next: Interval, a: Tensor, b: Tensor): boolean {
  const group = timeline.groups[next.from];
  if (!group || old.to !== next.from || old.from === next.from || a.element !== b.element) return false;
  if (a.axes.length !== b.axes.length || a.axes.some((extent, axis) => extent !== b.axes[axis])) return false;
  const writer = group.statements.findIndex((statement) => statement.target === b.name);
  return group.statements.every((statement, position) => {
    const concerned = position === writer || tensorsReadBy(statement).has(a.name);
    if (!concerned) return true;
    return timeline.elementwise.has(statement) && position <= writer && readsInPlace(statement, a.name);
  });
}
