/**
 * The greatest (or least) value of a small window and where it stands, as a max pooling wants them, in one pass: each value
 * is read once, the window is written out.
 */
import {
  constantIndex,
  isScatter,
  mapIndices,
  reducedIndices,
  substituteInIndex,
} from '../graph/expressions.ts';
import type { Expression, Statement, Tensor } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import type { Group } from './groups.ts';
import { integer } from './integers.ts';
import { emitLoops, flatsOf, joinLoops, namesInUse } from './loop-order.ts';
import { boxOf, store, storeResult } from './loops.ts';
import { Lowering } from './lowering.ts';
import { makeNest } from './nest.ts';
import type { LoopStatement, Value } from './types.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** More values than these are looped over. */
const largestWindow = 9;

const placeOf = { max: 'argmax', min: 'argmin' } as const;

/** The groups, with the place of a window's greatest value in one group with that value. */
export function pairWindows(groups: readonly Group[], tensors: Tensors): Group[] {
  const values = new Map<string, Group>();
  for (const group of groups) {
    const [statement, ...others] = group.statements;
    if (!statement || others.length > 0) continue;
    if (statement.combine !== 'max' && statement.combine !== 'min') continue;
    if (isSmallWindow(statement, tensors)) values.set(keyOf(statement, placeOf[statement.combine]), group);
  }
  const pairs = new Map<Group, Group>();
  const gone = new Set<Group>();
  for (const group of groups) {
    const [statement, ...others] = group.statements;
    if (!statement || others.length > 0) continue;
    const home = values.get(keyOf(statement, statement.combine));
    if (!home || home === group || pairs.has(home)) continue;
    const parts = new Set([...home.parts, ...group.parts]);
    pairs.set(home, { statements: [statement, ...home.statements], parts, form: 'windows' });
    gone.add(group);
  }
  return groups.flatMap((group) => (gone.has(group) ? [] : [pairs.get(group) ?? group]));
}

/** Equal for statements that combine the same values over the same box. */
function keyOf({ indices, write, body, phase }: Statement, combine: string): string {
  return JSON.stringify([combine, phase, indices, write, body]);
}

function isSmallWindow(statement: Statement, tensors: Tensors): boolean {
  if (statement.finish || statement.scan || isScatter(statement)) return false;
  const { domain, partial, combine } = makeNest(statement, tensors);
  const points = reducedIndices(statement).reduce(
    (total, { extent }) => total * (typeof extent === 'number' ? extent : Infinity),
    1,
  );
  return points > 1 && points <= largestWindow && domain.length === 0 && !partial && combine !== 'assign';
}

/** The loops of a value and its place: `statements` as `pairWindows` puts them together. */
export function windowLoops(
  statements: readonly Statement[],
  scope: FunctionScope,
  tensors: Tensors,
): LoopStatement[] {
  const [ofPlace, ofValue] = statements;
  if (!ofValue || !ofPlace) throw new Error('a window has a value and a place');
  const nest = makeNest(ofValue, tensors);
  const placeNest = makeNest(ofPlace, tensors);
  const writtenValue = flatten(storedAs(tensors, nest.target), nest.write);
  const writtenPlace = flatten(storedAs(tensors, placeNest.target), placeNest.write);
  const box = boxOf(nest, tensors);
  const reduced = nest.loops.filter((loop) => loop.reduced);
  const free = nest.loops.filter((loop) => !loop.reduced);
  const bodies = points(reduced.map(({ extent }) => Number(extent))).map((point): Expression => {
    const at = new Map(reduced.map(({ name }, axis) => [name, constantIndex(point[axis] ?? 0)]));
    return mapIndices(nest.body, (index) => substituteInIndex(index, at));
  });
  const flats = [...flatsOf(bodies, tensors), writtenValue, writtenPlace];
  const used = namesInUse(
    bodies,
    flats,
    [],
    free.map(({ name }) => name),
  );
  const lowering = new Lowering(scope, tensors, box.extents);
  lowering.count(...bodies);
  const [word, operator] =
    nest.combine === 'max' ? (['largest', '>'] as const) : (['smallest', '<'] as const);
  const combine = nest.combine === 'max' ? 'max' : 'min';
  emitLoops(lowering, joinLoops(free, flats, used), [], box, () => {
    const best = scope.declare(word);
    const place = scope.declare(`${best}_at`);
    const local = (name: string): Value => ({ kind: 'variable', name });
    for (const [point, body] of bodies.entries()) {
      const value = lowering.value(body);
      if (point === 0) {
        lowering.innermost.push(
          { kind: 'accumulator', name: best, initial: value },
          { kind: 'integer_accumulator', name: place, initial: integer(0) },
        );
        continue;
      }
      const name = scope.declare('value');
      lowering.innermost.push(
        { kind: 'constant', name, value },
        {
          kind: 'if',
          condition: { kind: 'compare', operator, left: local(name), right: local(best) },
          then: [{ kind: 'set_integer', name: place, value: integer(point) }],
          otherwise: [],
        },
        // not in the branch: a value that is no number is what the window has, wherever it stands
        {
          kind: 'set',
          name: best,
          value: { kind: 'binary', operator: combine, left: local(best), right: local(name) },
        },
      );
    }
    store(lowering, nest.target, writtenValue, local(best), false);
    storeResult(lowering, placeNest, writtenPlace, place);
  });
  return lowering.innermost;
}

/** All points of a box, row by row. */
function points(extents: readonly number[]): number[][] {
  return extents.reduce<number[][]>(
    (all, extent) => all.flatMap((point) => Array.from({ length: extent }, (_, k) => [...point, k])),
    [[]],
  );
}
