/**
 * Statements as plain loops. A reduction runs innermost into a local accumulator, or, where only a written index has
 * unit stride (`db[j] = sum[n](dz[n, j])`), outside of it and into memory.
 */
import { constantIndex, freeIndices, indexNames } from '../graph/expressions.ts';
import type { Combine, IndexExpression, Statement, Tensor, UnaryOperator } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import type { Flat } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import { integer, product, sum, variable } from './integers.ts';
import { costOf, emitLoops, flatsOf, joinLoops, namesInUse } from './loop-order.ts';
import type { Box, PlannedLoop } from './loop-order.ts';
import { Lowering } from './lowering.ts';
import { makeNest } from './nest.ts';
import type { Nest } from './nest.ts';
import type { Condition, IntegerExpression, LoopStatement, Value } from './types.ts';

type Tensors = ReadonlyMap<string, Tensor>;

const number = (value: number): Value => ({ kind: 'number', value });
const local = (name: string): Value => ({ kind: 'variable', name });
const binary = (operator: 'add' | 'multiply' | 'max' | 'min', left: Value, right: Value): Value => ({
  kind: 'binary',
  operator,
  left,
  right,
});

/** How a local accumulator takes the next value. */
const joining: Readonly<
  Record<'sum' | 'product' | 'max' | 'min', { name: string; operator: 'add' | 'multiply' | 'max' | 'min' }>
> = {
  sum: { name: 'total', operator: 'add' },
  product: { name: 'product', operator: 'multiply' },
  max: { name: 'largest', operator: 'max' },
  min: { name: 'smallest', operator: 'min' },
};

export function boxOf(nest: Nest, tensors: Tensors): Box {
  const indices = nest.step ? [nest.step, ...nest.loops] : nest.loops;
  return { extents: new Map(indices.map((loop) => [loop.name, loop.extent])), tensors };
}

export function axesOf(tensors: Tensors, name: string): Tensor['axes'] {
  return tensors.get(name)?.axes ?? [];
}

// -------------------------------------------------------------------------------------------------------- one statement

/** The loops of one statement. */
export function statementLoops(
  statement: Statement,
  scope: FunctionScope,
  tensors: Tensors,
): LoopStatement[] {
  return nestLoops(makeNest(statement, tensors), scope, tensors);
}

function nestLoops(nest: Nest, scope: FunctionScope, tensors: Tensors): LoopStatement[] {
  const written = flatten(storedAs(tensors, nest.target), nest.write);
  const box = boxOf(nest, tensors);
  const expressions = nest.finishInside ? [nest.body, nest.finishInside] : [nest.body];
  const flats = [...flatsOf(expressions, tensors), written];
  const used = namesInUse(
    expressions,
    flats,
    nest.domain,
    nest.loops.map((loop) => loop.name),
  );
  const loops = joinLoops(
    [...nest.loops.filter((loop) => !loop.reduced), ...nest.loops.filter((loop) => loop.reduced)],
    flats,
    used,
  );
  const places = nest.combine === 'argmax' || nest.combine === 'argmin' || nest.combine === 'logsumexp';
  if (nest.scatter && nest.finish && freeIndices(nest.finish).size > 0)
    throw new Error(`'${nest.target}': the epilogue of a scatter has no indices`);
  const lowering = new Lowering(scope, tensors, box.extents);
  lowering.count(nest.body);
  const reduced = loops.filter((loop) => loop.reduced);
  if (nest.combine === 'assign' || nest.scatter) {
    const statements: LoopStatement[] = [];
    if (nest.partial) statements.push(fill(nest, scope));
    const order = nest.combine === 'assign' ? loops : cheapestLast(loops, flats, nest);
    emitLoops(lowering, order, nest.domain, box, () => accumulate(lowering, nest, written, nest.combine));
    statements.push(...lowering.innermost);
    return nest.finish ? [...statements, ...finishLoops(nest, lowering, tensors)] : statements;
  }
  const inner = places || reduced.length === 0 ? undefined : memoryInner(nest, loops, flats, written);
  if (inner) {
    const order = [
      ...loops.filter((loop) => !loop.reduced && loop !== inner),
      ...byCost(reduced, flats),
      inner,
    ];
    emitLoops(lowering, order, nest.domain, box, () => accumulate(lowering, nest, written, nest.combine));
    const statements = [fill(nest, scope), ...lowering.innermost];
    return nest.finish ? [...statements, ...finishLoops(nest, lowering, tensors)] : statements;
  }
  if (nest.finishInside && !nest.partial) lowering.count(nest.body, nest.finishInside);
  localReduction(lowering, nest, loops, flats, written, box);
  const statements = [...(nest.partial ? [fill(nest, scope)] : []), ...lowering.innermost];
  return nest.finish && nest.partial ? [...statements, ...finishLoops(nest, lowering, tensors)] : statements;
}

export function fill(nest: Nest, scope: FunctionScope): LoopStatement {
  return { kind: 'fill', buffer: scope.buffer(nest.target, 'write'), value: nest.initial };
}

/** target = finish(target), for every element: after the loops that `earlier` has lowered. */
export function finishLoops(nest: Nest, earlier: Lowering, tensors: Tensors): LoopStatement[] {
  const { finish } = nest;
  const { scope } = earlier;
  if (!finish) return [];
  // Residue loops are the body's affair: the epilogue runs over the axes as they are.
  const axes = axesOf(tensors, nest.target);
  const loops = nest.elements
    .map((name, axis) => ({ name, extent: axes[axis] ?? 1, reduced: false }))
    .filter(({ name, extent }) => extent !== 1 && name !== nest.step?.name);
  const extents = new Map(loops.map((loop) => [loop.name, loop.extent]));
  if (nest.step) extents.set(nest.step.name, nest.step.extent);
  const at = nest.elements.map((name): IndexExpression => {
    const atom = { kind: 'index' as const, name };
    return extents.has(name) ? { terms: [{ coefficient: 1, atom }], constant: 0 } : constantIndex(0);
  });
  const written = flatten(storedAs(tensors, nest.target), at);
  const flats = [...flatsOf([finish], tensors), written];
  const used = namesInUse([finish], flats, [], nest.elements);
  const lowering = new Lowering(scope, tensors, extents);
  lowering.goOnAfter(earlier);
  lowering.count(finish);
  emitLoops(lowering, joinLoops(loops, flats, used), [], { extents, tensors }, () => {
    const offset = lowering.place(nest.target, written).value;
    const buffer = scope.buffer(nest.target, 'update');
    const value = lowering.finished(finish, { kind: 'load', buffer, offset });
    lowering.innermost.push({ kind: 'store', buffer, offset, value, add: false });
  });
  return lowering.innermost;
}

/** One point of the domain into memory. */
function accumulate(lowering: Lowering, nest: Nest, written: Flat, combine: Combine): void {
  const value = lowering.value(nest.body);
  if (combine === 'assign' || combine === 'sum') {
    store(lowering, nest.target, written, value, combine === 'sum');
    return;
  }
  if (combine === 'argmax' || combine === 'argmin')
    throw new Error(`${combine} cannot be accumulated in memory`);
  const buffer = lowering.scope.buffer(nest.target, 'update');
  const offset = lowering.place(nest.target, written).value;
  const present: Value = { kind: 'load', buffer, offset };
  const joined =
    combine === 'logsumexp'
      ? logAddExp(lowering, present, value)
      : binary(joining[combine].operator, present, value);
  lowering.innermost.push({ kind: 'store', buffer, offset, value: joined, add: false });
}

/** log(eᵃ + eᵇ) = M + log1p(e^-|a - b|) with M = max(a, b); where M is infinite, that is all (∞ - ∞ is not 0). */
function logAddExp(lowering: Lowering, left: Value, right: Value): Value {
  const named = (hint: string, value: Value): Value => {
    const name = lowering.scope.declare(hint);
    lowering.innermost.push({ kind: 'constant', name, value });
    return local(name);
  };
  const [present, next] = [named('present', left), named('next', right)];
  const largest = named('largest', binary('max', present, next));
  const apart: Value = { kind: 'binary', operator: 'subtract', left: present, right: next };
  const unary = (operator: UnaryOperator, operand: Value): Value => ({ kind: 'unary', operator, operand });
  const less = unary('exp', unary('negate', unary('abs', apart)));
  return {
    kind: 'select',
    condition: isFinite(largest),
    then: binary('add', largest, unary('log1p', less)),
    otherwise: largest,
  };
}

function isFinite(value: Value): Condition {
  const size: Value = { kind: 'unary', operator: 'abs', operand: value };
  return { kind: 'compare', operator: '<', left: size, right: number(Infinity) };
}

export function store(lowering: Lowering, target: string, written: Flat, value: Value, add: boolean): void {
  const offset = lowering.place(target, written).value;
  const buffer = lowering.scope.buffer(target, add ? 'update' : 'write');
  if (!lowering.isInteger(target)) {
    lowering.innermost.push({ kind: 'store', buffer, offset, value, add });
    return;
  }
  if (value.kind !== 'from_integer' || add)
    throw new Error(`'${target}' is an integer tensor, and its value is not an integer by its form`);
  lowering.innermost.push({ kind: 'store_integer', buffer, offset, value: value.value });
}

// ---------------------------------------------------------------------------------------------------------- loop orders

/** The written loop to put innermost, if accumulating in memory beats a local accumulator. */
export function memoryInner(
  nest: Nest,
  loops: readonly PlannedLoop[],
  flats: readonly Flat[],
  written: Flat,
): PlannedLoop | undefined {
  const body = flats.filter((flat) => flat !== written);
  const local = Math.min(...loops.filter((loop) => loop.reduced).map((loop) => costOf(loop, body)));
  // A load and a store more at every point.
  const inMemory = (loop: PlannedLoop): number => costOf(loop, flats) + 1;
  const candidates = loops.filter((loop) => !loop.reduced && !isResidue(loop.name));
  const best = candidates.toSorted((a, b) => inMemory(a) - inMemory(b))[0];
  if (!best || nest.loops.some((loop) => isResidue(loop.name) && loop.reduced)) return undefined;
  return inMemory(best) < local ? best : undefined;
}

/** Residue loops stand outside: the places of the others begin with them. */
function isResidue(name: string): boolean {
  return name.endsWith('_residue');
}

/** Dearest first: the cheapest step is innermost. Equal ones keep their order. */
export function byCost(loops: readonly PlannedLoop[], flats: readonly Flat[]): PlannedLoop[] {
  return loops.toSorted(
    (a, b) => Number(isResidue(b.name)) - Number(isResidue(a.name)) || costOf(b, flats) - costOf(a, flats),
  );
}

/** A scatter's loops, with the cheapest one innermost. */
function cheapestLast(
  loops: readonly PlannedLoop[],
  flats: readonly Flat[],
  nest: Nest,
): readonly PlannedLoop[] {
  if (nest.domain.length > 0) return loops;
  const last = byCost(loops, flats).at(-1);
  return last ? [...loops.filter((loop) => loop !== last), last] : loops;
}

// ------------------------------------------------------------------------------------------------- local accumulators

function localReduction(
  lowering: Lowering,
  nest: Nest,
  loops: readonly PlannedLoop[],
  flats: readonly Flat[],
  written: Flat,
  box: Box,
): void {
  const free = loops.filter((loop) => !loop.reduced);
  const given = loops.filter((loop) => loop.reduced);
  const reduced = nest.combine === 'argmax' || nest.combine === 'argmin' ? given : byCost(given, flats);
  const names = new Set(given.map((loop) => loop.name));
  const inner = nest.domain.filter(({ index }) => [...indexNames(index)].some((name) => names.has(name)));
  const outer = nest.domain.filter((constraint) => !inner.includes(constraint));
  const reduce = (body: () => void): void => emitLoops(lowering, reduced, inner, box, body);
  emitLoops(lowering, free, outer, box, () => {
    storeResult(lowering, nest, written, reduction(lowering, nest, reduced, reduce, undefined));
  });
}

/** The combined value, through the epilogue, or the place that was found, to its element. */
export function storeResult(lowering: Lowering, nest: Nest, written: Flat, result: Value | string): void {
  if (typeof result === 'string') {
    const buffer = lowering.scope.buffer(nest.target, 'write');
    const offset = lowering.place(nest.target, written).value;
    lowering.innermost.push({ kind: 'store_integer', buffer, offset, value: variable(result) });
    return;
  }
  const value = nest.finishInside && !nest.partial ? lowering.finished(nest.finishInside, result) : result;
  store(lowering, nest.target, written, value, false);
}

function declare(lowering: Lowering, hint: string, initial: number): string {
  const name = lowering.scope.declare(hint);
  lowering.innermost.push({ kind: 'accumulator', name, initial: number(initial) });
  return name;
}

function join(
  lowering: Lowering,
  name: string,
  operator: 'add' | 'multiply' | 'max' | 'min',
  value: Value,
): void {
  lowering.innermost.push({ kind: 'set', name, value: binary(operator, local(name), value) });
}

/** Σ e^(u - shift) over the loops of a logsumexp. */
export interface Exponentials {
  readonly shift: Value;
  readonly total: Value;
}

/** log Σ eᵘ = shift + log(total) with shift = max u; where that is infinite, nothing is taken out (∞ - ∞ is not 0). */
export function sumOfExponentials(
  lowering: Lowering,
  nest: Nest,
  reduce: (body: () => void) => void,
  /** What else becomes of each exponential. */
  use?: (exponential: Value) => void,
): Exponentials {
  const largest = declare(lowering, 'largest', -Infinity);
  reduce(() => join(lowering, largest, 'max', lowering.value(nest.body)));
  const shift = lowering.scope.declare('shift');
  const condition = isFinite(local(largest));
  const chosen: Value = { kind: 'select', condition, then: local(largest), otherwise: number(0) };
  lowering.innermost.push({ kind: 'constant', name: shift, value: chosen });
  const total = declare(lowering, 'total', 0);
  reduce(() => {
    const value = lowering.value(nest.body);
    const operand: Value = { kind: 'binary', operator: 'subtract', left: value, right: local(shift) };
    let exponential: Value = { kind: 'unary', operator: 'exp', operand };
    if (use) {
      const name = lowering.scope.declare('exponential');
      lowering.innermost.push({ kind: 'constant', name, value: exponential });
      exponential = local(name);
    }
    join(lowering, total, 'add', exponential);
    use?.(exponential);
  });
  return { shift: local(shift), total: local(total) };
}

export function logarithmOf({ shift, total }: Exponentials): Value {
  return binary('add', shift, { kind: 'unary', operator: 'log', operand: total });
}

/** Reduces into locals; gives the combined value, or the name of the integer that holds the place. */
export function reduction(
  lowering: Lowering,
  nest: Nest,
  reduced: readonly PlannedLoop[],
  reduce: (body: () => void) => void,
  /** What the result is called, where it has a name of its own. */
  wish: string | undefined,
): Value | string {
  const { scope } = lowering;
  switch (nest.combine) {
    case 'assign':
      throw new Error('an assignment has nothing to reduce');
    case 'sum':
    case 'product':
    case 'max':
    case 'min': {
      const { name, operator } = joining[nest.combine];
      const total = declare(lowering, wish ?? name, nest.initial);
      reduce(() => join(lowering, total, operator, lowering.value(nest.body)));
      return local(total);
    }
    case 'logsumexp':
      return logarithmOf(sumOfExponentials(lowering, nest, reduce));
    case 'argmax':
    case 'argmin': {
      const best = declare(
        lowering,
        nest.combine === 'argmax' ? 'largest' : 'smallest',
        neutralValue(nest.combine),
      );
      const at = scope.declare(wish ?? `${best}_at`);
      lowering.innermost.push({ kind: 'integer_accumulator', name: at, initial: integer(-1) });
      reduce(() => {
        const value = scope.declare('value');
        lowering.innermost.push({ kind: 'constant', name: value, value: lowering.value(nest.body) });
        const better: Condition = {
          kind: 'compare',
          operator: nest.combine === 'argmax' ? '>' : '<',
          left: local(value),
          right: local(best),
        };
        // The first value counts whatever it is: also where all are infinite.
        const first: Condition = {
          kind: 'compare_integer',
          operator: '<',
          left: variable(at),
          right: integer(0),
        };
        lowering.innermost.push({
          kind: 'if',
          condition: { kind: 'any', of: [better, first] },
          then: [
            { kind: 'set', name: best, value: local(value) },
            { kind: 'set_integer', name: at, value: placeInBox(lowering, reduced) },
          ],
          otherwise: [],
        });
      });
      return at;
    }
  }
}

function neutralValue(combine: 'argmax' | 'argmin'): number {
  return combine === 'argmax' ? -Infinity : Infinity;
}

/** The row-by-row place in the box of the reduced loops. */
function placeInBox(lowering: Lowering, reduced: readonly PlannedLoop[]): IntegerExpression {
  return reduced.reduce<IntegerExpression>((place, loop) => {
    const extent = loop.extents
      .map((size) => (typeof size === 'number' ? integer(size) : lowering.scope.extent(size)))
      .reduce(product);
    const atom = { kind: 'index' as const, name: loop.name };
    const index = lowering.index({ terms: [{ coefficient: 1, atom }], constant: 0 }).value;
    return sum(product(place, extent), index);
  }, integer(0));
}
