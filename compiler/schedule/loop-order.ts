/** Which loops become one, which stands innermost, and what bounds they have. */
import {
  coefficientOf,
  equalIndices,
  indexBounds,
  indexNames,
  postorder,
  reads,
  scaleIndex,
  subtractIndex,
} from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, Tensor } from '../graph/types.ts';
import { dependsOn, flatten, isOpaque, runTogether, stepCost, storedAs } from './access.ts';
import type { Flat } from './access.ts';
import type { Constraint } from './guards.ts';
import { floorDivide, integer, maximum, minimum, product, sum } from './integers.ts';
import type { Lowering } from './lowering.ts';
import type { Condition, IntegerExpression } from './types.ts';

/** A loop to be emitted: of one index, or of several that run together (the innermost gives the name in places). */
export interface PlannedLoop {
  readonly name: string;
  /** The name of its variable: the indices' names side by side. */
  readonly base: string;
  /** All its indices. */
  readonly members: readonly string[];
  readonly extents: readonly Extent[];
  readonly reduced: boolean;
}

/** The places that expressions read, in the order of the reads. */
export function flatsOf(expressions: readonly Expression[], tensors: ReadonlyMap<string, Tensor>): Flat[] {
  return expressions
    .flatMap((expression) => reads(expression))
    .map((node) => flatten(storedAs(tensors, node.tensor), node.at));
}

/** The indices that are needed as themselves: as numbers, in guards, inside fetches and quotients, in bounds. */
export function namesInUse(
  expressions: readonly Expression[],
  flats: readonly Flat[],
  domain: readonly Constraint[],
  names: readonly string[],
): Set<string> {
  const used = new Set(domain.flatMap(({ index }) => [...indexNames(index)]));
  // node by node: one index may stand in a read, where it is a step in memory, and in a number or a guard as well
  for (const node of expressions.flatMap(postorder))
    for (const index of neededIn(node)) for (const name of indexNames(index)) used.add(name);
  for (const name of names) if (flats.some((flat) => isOpaque(flat, name))) used.add(name);
  return used;
}

function neededIn(node: Expression): readonly IndexExpression[] {
  if (node.kind === 'index_value') return [node.index];
  return node.kind === 'read' && node.outside !== undefined ? node.at : [];
}

/** Makes one loop of neighbours that run through all places like one. */
export function joinLoops(
  loops: readonly { readonly name: string; readonly extent: Extent; readonly reduced: boolean }[],
  flats: readonly Flat[],
  used: ReadonlySet<string>,
): PlannedLoop[] {
  const joined: PlannedLoop[] = [];
  for (const { name, extent, reduced } of loops) {
    const outer = joined.at(-1);
    const together =
      outer !== undefined &&
      outer.reduced === reduced &&
      !used.has(outer.name) &&
      !used.has(name) &&
      runTogether(flats, outer.name, name, extent);
    if (together) {
      joined.pop();
      joined.push({
        name,
        base: outer.base + name,
        members: [...outer.members, name],
        extents: [...outer.extents, extent],
        reduced,
      });
    } else joined.push({ name, base: name, members: [name], extents: [extent], reduced });
  }
  return joined;
}

/** What a step along this loop costs, over all places. */
export function costOf(loop: PlannedLoop, flats: readonly Flat[]): number {
  return flats.reduce((total, flat) => total + stepCost(flat, loop.name), 0);
}

/** Emits the loops around what `body` adds to the innermost level. */
export function emitLoops(
  lowering: Lowering,
  loops: readonly PlannedLoop[],
  domain: readonly Constraint[],
  box: Box,
  body: () => void,
): void {
  const clips = new Map<string, Constraint[]>();
  const guards = new Map<string | undefined, Constraint[]>();
  for (const constraint of domain) {
    const names = indexNames(constraint.index);
    const deepest = loops.findLast((loop) => names.has(loop.name))?.name;
    // what no loop moves (the step of a recurrence) is a guard around them all
    if (deepest !== undefined && isLinearIn(constraint.index, deepest))
      clips.set(deepest, [...(clips.get(deepest) ?? []), constraint]);
    else guards.set(deepest, [...(guards.get(deepest) ?? []), constraint]);
  }
  const guarded = (name: string | undefined, emit: () => void): void => {
    const of = guardConditions(
      lowering,
      (guards.get(name) ?? []).filter((guard) => !isIdle(guard, box)),
    );
    // What the conditions read is declared before them; what they guard comes after.
    const level = lowering.innermost;
    const start = level.length;
    if (of.length === 0) {
      emit();
      return;
    }
    lowering.inBlock(emit);
    const then = level.splice(start);
    level.push({ kind: 'if', condition: { kind: 'all', of }, then, otherwise: [] });
  };
  const emit = (position: number): void => {
    const loop = loops[position];
    if (!loop) {
      body();
      return;
    }
    const bounds = boundsOf(lowering, loop, clips.get(loop.name) ?? [], box);
    const index = lowering.openLoop(loop.name, loop.base);
    guarded(loop.name, () => emit(position + 1));
    const inner = lowering.closeLoop();
    lowering.innermost.push({ kind: 'for', index, ...bounds, step: 1, body: inner });
  };
  guarded(undefined, () => emit(0));
}

/** True if interval arithmetic shows that the constraint holds everywhere. */
function isIdle({ index, symbol }: Constraint, { extents, tensors }: Box): boolean {
  return symbol === undefined && (indexBounds(index, extents, tensors)?.least ?? -1) >= 0;
}

/** The constraints as conditions; `c >= 0` and `-c >= 0` are one equality. */
function guardConditions(lowering: Lowering, constraints: readonly Constraint[]): Condition[] {
  const conditions: Condition[] = [];
  const equal = new Set<Constraint>();
  for (const constraint of constraints) {
    if (equal.has(constraint)) continue;
    const opposite = constraints.find(
      (other) => other.symbol === undefined && equalIndices(other.index, scaleIndex(constraint.index, -1)),
    );
    if (opposite === undefined || constraint.symbol !== undefined) {
      conditions.push(lowering.guard(constraint).value);
    } else {
      equal.add(opposite);
      conditions.push(lowering.equality(constraint.index));
    }
  }
  const distinct = new Map(conditions.map((condition) => [JSON.stringify(condition), condition]));
  return [...distinct.values()];
}

export interface Box {
  readonly extents: ReadonlyMap<string, Extent>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

function isLinearIn(index: IndexExpression, name: string): boolean {
  return (
    coefficientOf(index, name) !== 0 &&
    index.terms.every(({ atom }) => atom.kind === 'index' || !dependsOn(atom, name))
  );
}

export interface LoopBounds {
  readonly from: IntegerExpression;
  readonly to: IntegerExpression;
  /** True if interval arithmetic shows that `from` is nowhere greater than `to`. */
  readonly isOrdered: boolean;
}

/**
 * c·v + rest >= 0 as a bound of v:  v >= -floor(rest / c)  for c > 0,  v < floor(rest / -c) + 1  for c < 0.
 * Bounds that interval arithmetic shows to be idle are left out.
 */
export function boundsOf(
  lowering: Lowering,
  loop: PlannedLoop,
  constraints: readonly Constraint[],
  box: Box,
): LoopBounds {
  let from: IntegerExpression = integer(0);
  const whole = loop.extents
    .map((extent) => (typeof extent === 'number' ? integer(extent) : lowering.scope.extent(extent)))
    .reduce(product);
  let to = whole;
  let latest = 0;
  let earliest = loop.extents.reduce<number>((size, extent) => size * (Number(extent) || 0), 1);
  for (const { index, symbol } of constraints) {
    const coefficient = coefficientOf(index, loop.name);
    const scale = Math.abs(coefficient);
    const term = index.terms.filter(({ atom }) => atom.kind === 'index' && atom.name === loop.name);
    const rest = subtractIndex(index, { terms: term, constant: 0 });
    const range = symbol === undefined ? indexBounds(rest, box.extents, box.tensors) : undefined;
    const known = lowering.index(rest).value;
    const value = symbol === undefined ? known : sum(lowering.scope.extent(symbol), known);
    const [extent] = loop.extents;
    const least = range ? Math.floor(range.least / scale) : -Infinity;
    if (coefficient > 0) {
      latest = Math.max(latest, -least);
      const bound = product(floorDivide(value, scale), integer(-1));
      if (least >= 0) continue;
      const certain = range && Math.floor(range.greatest / scale) <= 0;
      from = certain && from.kind === 'integer' && from.value === 0 ? bound : maximum(from, bound);
    } else {
      earliest = Math.min(earliest, least + 1);
      const bound = sum(floorDivide(value, scale), integer(1));
      if (typeof extent === 'number' && least + 1 >= extent) continue;
      const certain = range && typeof extent === 'number' && Math.floor(range.greatest / scale) + 1 <= extent;
      to = certain && to === whole ? bound : minimum(to, bound);
    }
  }
  const depth = lowering.depth;
  return {
    from: lowering.bindInteger(from, depth, `${loop.base}_from`),
    to: lowering.bindInteger(to, depth, `${loop.base}_to`),
    isOrdered: latest <= earliest,
  };
}
