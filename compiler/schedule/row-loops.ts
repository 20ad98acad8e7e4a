/**
 * A value per row that only the next statement over the rows reads is a constant in that statement's loop:
 *
 *     const label_score = z[n * 10 + label[n]];       loss_sum2[n] = sum[k]((k == label[n]) * z[n, k])
 *     total += p_logsumexp[n] - label_score;          loss = sum[n](p_logsumexp[n] - loss_sum2[n])
 *
 * so that it needs neither a buffer nor a function of its own. All values of a row are complete before a result of that row
 * is stored: the result may be written over what they read (lifetimes.ts).
 */
import {
  fetchedTensors,
  indexNames,
  isPlainIndex,
  mapIndices,
  reads,
  substituteInIndex,
  tensorsReadBy,
} from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, Statement, Tensor } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import { isContraction } from './contraction.ts';
import type { FunctionScope } from './function-scope.ts';
import type { Group } from './groups.ts';
import { emitLoops, flatsOf, joinLoops, namesInUse } from './loop-order.ts';
import type { Box, PlannedLoop } from './loop-order.ts';
import { boxOf, byCost, memoryInner, reduction, storeResult } from './loops.ts';
import { Lowering } from './lowering.ts';
import { makeNest } from './nest.ts';
import type { Nest } from './nest.ts';
import type { LoopStatement, Value } from './types.ts';
import { indexWord } from './value-names.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** The groups, with those made one that can share a loop over rows; `kept` are read by others than statements. */
export function fuseRows(
  groups: readonly Group[],
  tensors: Tensors,
  kept: { has(tensor: string): boolean },
): Group[] {
  // Each group as it stands now, in its place; none where it has gone into its reader.
  const result: (Group | undefined)[] = [...groups];
  const placeOf = new Map<Statement, number>();
  const readersOf = new Map<string, Statement[]>();
  for (const [place, { statements, form }] of groups.entries())
    for (const statement of statements) {
      // a softmax stays as it is, and what it computes of a logsumexp others may compute as well
      if (form !== 'softmax') placeOf.set(statement, place);
      for (const tensor of tensorsReadBy(statement)) {
        if (form === 'softmax' && statements.some(({ target }) => target === tensor)) continue;
        const readers = readersOf.get(tensor);
        if (readers) readers.push(statement);
        else readersOf.set(tensor, [statement]);
      }
    }
  for (const statement of groups.flatMap(({ statements }) => statements)) {
    if (kept.has(statement.target)) continue;
    const from = placeOf.get(statement) ?? -1;
    const [to = from, ...others] = new Set(
      (readersOf.get(statement.target) ?? []).map((reader) => placeOf.get(reader)),
    );
    const home = result[from];
    const reader = result[to];
    if (!home || !reader || to === from || others.length > 0) continue;
    if (home.statements.at(-1) !== statement || !sameParts(home, reader)) continue;
    const statements = [...home.statements, ...reader.statements];
    const alone = [home, reader].every((group) => group.rowwise === true || group.statements.length === 1);
    if (!alone || planRows(statements, tensors) === undefined) continue;
    result[from] = undefined;
    result[to] = { ...reader, statements, rowwise: true };
    for (const moved of home.statements) placeOf.set(moved, to);
  }
  return result.filter((group) => group !== undefined);
}

function sameParts(left: Group, right: Group): boolean {
  return left.parts.size === right.parts.size && [...left.parts].every((part) => right.parts.has(part));
}

interface RowPlan {
  /** The names of the rows in the last statement, in the order of the producers' axes. */
  readonly rows: readonly string[];
  readonly producers: readonly Nest[];
  readonly last: Nest;
  readonly extents: ReadonlyMap<string, Extent>;
}

/** How the statements share a loop over rows; undefined if they cannot. */
function planRows(statements: readonly Statement[], tensors: Tensors): RowPlan | undefined {
  const final = statements.at(-1);
  if (!final || statements.some((each) => each.scan || isContraction(each, tensors))) return undefined;
  const last = makeNest(final, tensors);
  if (!isPlain(last) || hasMemoryInner(last, tensors)) return undefined;
  const nests = new Map(statements.slice(0, -1).map((each) => [each.target, makeNest(each, tensors)]));
  // The last producer is read by the last statement; earlier ones are read by it or by one another.
  const main = [...nests.values()].at(-1);
  const rows = main && rowsIn(last, main);
  const free = last.loops.filter((loop) => !loop.reduced).map((loop) => loop.name);
  if (!rows || rows.length === 0) return undefined;
  if (free.length > 0 && rows.some((name, place) => free[place] !== name)) return undefined;
  if (free.length === 0 && !['sum', 'product', 'max', 'min'].includes(last.combine)) return undefined;
  const extents = new Map(last.loops.map((loop) => [loop.name, loop.extent]));
  const producers: Nest[] = [];
  for (const nest of nests.values()) {
    const own = nest.loops.filter((loop) => !loop.reduced);
    const fits =
      isPlain(nest) &&
      !hasMemoryInner(nest, tensors) &&
      own.length === rows.length &&
      own.every((loop, place) => loop.extent === extents.get(rows[place] ?? '')) &&
      nest.loops.every((loop) => !loop.reduced || !rows.includes(loop.name));
    if (!fits) return undefined;
    const renamed = renamedRows(nest, rows);
    for (const { name, extent } of renamed.loops) {
      if ((extents.get(name) ?? extent) !== extent) return undefined;
      extents.set(name, extent);
    }
    producers.push(renamed);
  }
  const readers = [...producers, last];
  const inPlace = producers.every((nest) =>
    readers.every((reader) => {
      const places = placesOf(reader, nest.target);
      return places !== undefined && places.every((place) => sameAt(place, nest.write));
    }),
  );
  return inPlace ? { rows, producers, last, extents } : undefined;
}

/** Every element is complete where its loops end, and no loop is of residues. */
export function isPlain(nest: Nest): boolean {
  const reduced = new Set(nest.loops.filter((loop) => loop.reduced).map((loop) => loop.name));
  return (
    !nest.scatter &&
    !nest.partial &&
    nest.loops.every((loop) => !loop.name.endsWith('_residue')) &&
    nest.domain.every(({ index }) => [...indexNames(index)].some((name) => reduced.has(name)))
  );
}

function hasMemoryInner(nest: Nest, tensors: Tensors): boolean {
  const places = nest.combine === 'argmax' || nest.combine === 'argmin' || nest.combine === 'logsumexp';
  if (nest.combine === 'assign' || places || nest.loops.every((loop) => !loop.reduced)) return false;
  const expressions = expressionsOf(nest);
  const written = flatten(storedAs(tensors, nest.target), nest.write);
  const flats = [...flatsOf(expressions, tensors), written];
  const loops = nest.loops.map((loop) => planned(loop.name, loop.extent, loop.reduced));
  return memoryInner(nest, loops, flats, written) !== undefined;
}

export function expressionsOf(nest: Nest): Expression[] {
  return nest.finishInside ? [nest.body, nest.finishInside] : [nest.body];
}

function planned(name: string, extent: Extent, reduced: boolean): PlannedLoop {
  return { name, base: name, members: [name], extents: [extent], reduced };
}

/** Where a nest reads the tensor; undefined if it also uses it in another way than by plain reads. */
function placesOf(nest: Nest, tensor: string): (readonly IndexExpression[])[] | undefined {
  const expressions = expressionsOf(nest);
  const indices = [...nest.write, ...nest.domain.map(({ index }) => index)];
  if ([...expressions, ...indices].some((each) => fetchedTensors(each).has(tensor))) return undefined;
  const found = expressions.flatMap(reads).filter((node) => node.tensor === tensor);
  return found.some((node) => node.outside !== undefined) ? undefined : found.map((node) => node.at);
}

/** The names of the loops at which `reader` reads the rows of `producer`. */
function rowsIn(reader: Nest, producer: Nest): string[] | undefined {
  const [first] = placesOf(reader, producer.target) ?? [];
  if (!first) return undefined;
  const names = producer.write.flatMap((index, axis) =>
    isPlainIndex(index) === undefined ? [] : [isPlainIndex(first[axis] ?? index)],
  );
  const known = names.filter((name) => name !== undefined);
  const loops = new Set(reader.loops.map((loop) => loop.name));
  const distinct = new Set(known).size === names.length && known.every((name) => loops.has(name));
  return distinct ? known : undefined;
}

function sameAt(left: readonly IndexExpression[], right: readonly IndexExpression[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function renamedRows(nest: Nest, rows: readonly string[]): Nest {
  const own = nest.loops.filter((loop) => !loop.reduced).map((loop) => loop.name);
  const names = new Map(own.map((name, place) => [name, rows[place] ?? name]));
  const plain = [...names].map(([from, name]): [string, IndexExpression] => [
    from,
    { terms: [{ coefficient: 1, atom: { kind: 'index', name } }], constant: 0 },
  ]);
  const rewrite = (index: IndexExpression): IndexExpression => substituteInIndex(index, new Map(plain));
  return {
    ...nest,
    loops: nest.loops.map((loop) => ({ ...loop, name: names.get(loop.name) ?? loop.name })),
    write: nest.write.map(rewrite),
    body: mapIndices(nest.body, rewrite),
    ...(nest.finishInside ? { finishInside: mapIndices(nest.finishInside, rewrite) } : {}),
    domain: nest.domain.map((constraint) => ({ ...constraint, index: rewrite(constraint.index) })),
  };
}

// ---------------------------------------------------------------------------------------------------------- emitting

/** The loops of a rowwise group. */
export function rowLoops(
  statements: readonly Statement[],
  scope: FunctionScope,
  tensors: Tensors,
): LoopStatement[] {
  const plan = planRows(statements, tensors);
  if (!plan) throw new Error('the statements of a rowwise group share no rows');
  const { rows, producers, last } = plan;
  const lowering = new Lowering(scope, tensors, plan.extents);
  const box: Box = { extents: plan.extents, tensors };
  const outer = rows.map((name) => planned(name, plan.extents.get(name) ?? 1, false));
  const overRows = (body: () => void): void =>
    emitLoops(lowering, outer, [], box, () => {
      for (const nest of producers)
        lowering.inStatement(nest.target, () => produce(lowering, nest, rows, tensors));
      lowering.count(...expressionsOf(last));
      body();
    });
  const inner = (reduced: boolean): PlannedLoop[] =>
    innerLoops(last, rows, tensors).filter((loop) => loop.reduced === reduced);
  const reduce = (body: () => void): void =>
    emitLoops(lowering, byCost(inner(true), flatsIn(last, tensors)), last.domain, box, body);
  const finish = (between: (body: () => void) => void): void => {
    const result =
      last.combine === 'assign'
        ? lowering.value(last.body)
        : reduction(lowering, last, inner(true), between, undefined);
    storeResult(lowering, last, flatten(storedAs(tensors, last.target), last.write), result);
  };
  lowering.inStatement(last.target, () => {
    if (last.loops.some((loop) => !loop.reduced))
      overRows(() => emitLoops(lowering, inner(false), [], box, () => finish(reduce)));
    else finish((body) => overRows(() => reduce(body)));
  });
  return lowering.innermost;
}

function flatsIn(nest: Nest, tensors: Tensors): ReturnType<typeof flatsOf> {
  return [...flatsOf(expressionsOf(nest), tensors), flatten(storedAs(tensors, nest.target), nest.write)];
}

/** The loops of a nest inside the rows. */
function innerLoops(nest: Nest, rows: readonly string[], tensors: Tensors): PlannedLoop[] {
  const rest = nest.loops.filter((loop) => !rows.includes(loop.name));
  const expressions = expressionsOf(nest);
  const flats = flatsIn(nest, tensors);
  const used = namesInUse(
    expressions,
    flats,
    nest.domain,
    rest.map((loop) => loop.name),
  );
  const ordered = [...rest.filter((loop) => !loop.reduced), ...rest.filter((loop) => loop.reduced)];
  return joinLoops(ordered, flats, used);
}

/** The value of one row into a constant. */
function produce(lowering: Lowering, nest: Nest, rows: readonly string[], tensors: Tensors): void {
  lowering.count(...expressionsOf(nest));
  const places = nest.combine === 'argmax' || nest.combine === 'argmin';
  const loops = innerLoops(nest, rows, tensors);
  const ordered = places ? loops : byCost(loops, flatsIn(nest, tensors));
  const wish = `${nest.target}_${indexWord(rows)}`;
  const result =
    nest.combine === 'assign'
      ? lowering.value(nest.body)
      : reduction(
          lowering,
          nest,
          ordered,
          (body) => emitLoops(lowering, ordered, nest.domain, boxOf(nest, tensors), body),
          nest.finishInside ? undefined : wish,
        );
  if (typeof result === 'string') {
    const value = { kind: 'variable' as const, name: result };
    lowering.forward(nest.target, { kind: 'from_integer', value });
    return;
  }
  let value: Value = nest.finishInside ? lowering.finished(nest.finishInside, result) : result;
  if (value.kind !== 'variable') {
    const name = lowering.scope.declare(wish);
    lowering.innermost.push({ kind: 'constant', name, value });
    value = { kind: 'variable', name };
  }
  lowering.forward(nest.target, value);
}
