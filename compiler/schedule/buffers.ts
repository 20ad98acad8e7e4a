/**
 * Where every tensor lives. Intermediates share the workspace by liveness: two may have the same place if in no list of
 * steps (lifetimes.ts) both are alive at once, or if one is written over the other. Tensors of constant size, of size ~ batch
 * and of size ~ batch² have regions of their own, so that nothing overlaps for any batch; what is constant and no larger than
 * one row of a hole in the second region lies there, as a batch has at least one row.
 */
import type { ElementType, Program, Tensor } from '../graph/types.ts';
import { bufferAxes } from './access.ts';
import { elementsOf, makeSize } from './integers.ts';
import type { Relation, Timeline } from './lifetimes.ts';
import { momentsOf } from './memory.ts';
import { pack } from './packing.ts';
import type { Block } from './packing.ts';
import type { Buffer, LoopProgram } from './types.ts';

type Pool = Buffer['pool'];

const poolOf: Readonly<Record<ElementType, Pool>> = {
  real: 'workspace',
  double: 'doubles',
  integer: 'integers',
};

/** The degree (0: constant, 1: ~ batch, 2: ~ batch²) and the number of elements per batch^degree. */
function shape(tensor: Tensor): { degree: number; count: number; symbol: string | undefined } {
  const { coefficient, symbols } = elementsOf(bufferAxes(tensor));
  return { degree: symbols.length, count: coefficient, symbol: symbols[0] };
}

/** True if its size grows faster than batch²: there is no region for it. */
export const hasTooManyOpenAxes = (tensor: Tensor): boolean => shape(tensor).degree > 2;

interface Place {
  readonly tensor: Tensor;
  readonly degree: number;
  readonly count: number;
  readonly offset: number;
}

export interface Plan {
  readonly buffers: Map<string, Buffer>;
  readonly pools: LoopProgram['pools'];
  /** Of every timeline: the bytes alive while each of its groups runs. */
  readonly moments: LoopProgram['moments'];
}

/** Every tensor's buffer. `order` gives parameters a place before the others; `inside` have none. */
export function planBuffers(
  program: Program,
  timelines: readonly Timeline[],
  options: {
    readonly dtype: 'f32' | 'f64';
    readonly order: readonly string[];
    readonly inside: ReadonlySet<string>;
    /** Tensor -> the one whose memory it is. */
    readonly aliases: ReadonlyMap<string, string>;
    /** The relation of two tensors; without it none is written over another. */
    readonly related: (a: Tensor, b: Tensor) => Relation;
  },
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
      axes: bufferAxes(tensor),
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
      !options.inside.has(tensor.name) &&
      !options.aliases.has(tensor.name)
    ) {
      if (!timelines.some(({ alive }) => alive.has(tensor.name))) continue;
      if (hasTooManyOpenAxes(tensor)) throw new Error(`the tensor '${tensor.name}' has too many open axes`);
      planned[poolOf[tensor.element]]?.push(tensor);
    }
  }
  for (const pool of ['workspace', 'doubles', 'integers'] as const) {
    const start = totals[pool];
    const places = place(planned[pool] ?? [], timelines, options.related);
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
  for (const [name, root] of options.aliases) {
    const [own, shared] = [program.tensors.get(name), buffers.get(root)];
    if (own && shared && shared.pool in planned)
      buffers.set(name, { ...shared, tensor: name, role: own.role, axes: own.axes, sameAs: root });
  }
  const ordered = new Map<string, Buffer>();
  for (const name of program.tensors.keys()) {
    const buffer = buffers.get(name);
    if (buffer) ordered.set(name, buffer);
  }
  const sizes = Object.entries(totals).map(([pool, parts]) => [pool, makeSize(parts, symbol)]);
  const bytesOf: Readonly<Record<ElementType, number>> = {
    real: options.dtype === 'f32' ? 4 : 8,
    double: 8,
    integer: 4,
  };
  const bytes = (tensor: Tensor): number => shape(tensor).count * bytesOf[tensor.element];
  const all = Object.values(planned).flat();
  const moments = timelines.map((timeline) =>
    momentsOf(timeline, all, bytes).map((moment) => makeSize(moment, symbol)),
  );
  return { buffers: ordered, moments, pools: Object.fromEntries(sizes) as LoopProgram['pools'] };
}

function place(
  tensors: readonly Tensor[],
  timelines: readonly Timeline[],
  related: (a: Tensor, b: Tensor) => Relation,
): Place[] {
  const known = new Map<string, Relation>();
  const between = (a: Tensor, b: Tensor): Relation => {
    const key = `${a.name} ${b.name}`;
    const found = known.get(key) ?? related(a, b);
    known.set(key, found);
    known.set(`${b.name} ${a.name}`, found);
    return found;
  };
  const places: Place[] = [];
  for (const degree of [2, 1, 0]) {
    const members = tensors.filter((tensor) => shape(tensor).degree === degree);
    const [small, rest] = degree === 0 ? intoHoles(members, places, between) : [[], members];
    places.push(...small);
    const blocks = rest.map((tensor) => blockOf(tensor, timelines));
    const { offsets } = pack(
      blocks,
      (a, b) => {
        const [left, right] = [rest[a], rest[b]];
        return left && right ? between(left, right) : 'free';
      },
      leastOf(rest, degree, timelines),
    );
    rest.forEach((tensor, position) =>
      places.push({ tensor, degree, count: shape(tensor).count, offset: offsets[position] ?? 0 }),
    );
  }
  return places;
}

function blockOf(tensor: Tensor, timelines: readonly Timeline[]): Block {
  const intervals = timelines.flatMap(({ alive }) => alive.get(tensor.name) ?? []);
  const first = Math.min(...intervals.map(({ from }) => from));
  const span = intervals.reduce((total, { from, to }) => total + to - from + 1, 0);
  return { size: shape(tensor).count, first, span };
}

/** No region is smaller than what is alive in it at one moment. */
function leastOf(tensors: readonly Tensor[], degree: number, timelines: readonly Timeline[]): number {
  const count = (tensor: Tensor): number => shape(tensor).count;
  const moments = timelines.flatMap((timeline) => momentsOf(timeline, tensors, count));
  return moments.reduce((most, moment) => Math.max(most, moment[degree] ?? 0), 0);
}

/** Constant tensors that fit beside what grows with the batch, even if that has one row; and those that do not. */
function intoHoles(
  tensors: readonly Tensor[],
  places: readonly Place[],
  between: (a: Tensor, b: Tensor) => Relation,
): [Place[], Tensor[]] {
  const region = places.filter(({ degree }) => degree === 1);
  const end = Math.max(0, ...region.map(({ offset, count }) => offset + count));
  const [fitting, rest]: [Place[], Tensor[]] = [[], []];
  for (const tensor of tensors.toSorted((a, b) => shape(b).count - shape(a).count)) {
    const { count } = shape(tensor);
    const rivals = [...region, ...fitting].filter((other) => between(other.tensor, tensor) !== 'free');
    let offset = 0;
    for (const rival of rivals.toSorted((a, b) => a.offset - b.offset)) {
      if (offset + count <= rival.offset) break;
      offset = Math.max(offset, rival.offset + rival.count);
    }
    if (offset + count <= end) fitting.push({ tensor, degree: 1, count, offset });
    else rest.push(tensor);
  }
  return [fitting, rest];
}
