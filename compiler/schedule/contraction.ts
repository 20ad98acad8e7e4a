/**
 * Contractions: a sum of products of two reads in which some index is of the first alone (m), some of the second alone
 * (n), and some of both and reduced (k). The longest of each kind become the three sizes of one kernel call; the other
 * indices are loops around it. Convolutions are such sums too: x[n, i + u, j + v, c] * K[u, v, c, f] has m = j, n = f and
 * k = (v, c), which run together in both operands.
 */
import {
  accumulated,
  binary,
  coefficientOf,
  indexNames,
  multiply,
  replaceAccumulated,
} from '../graph/expressions.ts';
import type { Expression, Read, Statement, Tensor } from '../graph/types.ts';
import { flatten, isOpaque, strideIn } from './access.ts';
import type { Flat } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import { integer, maximum, product, sum } from './integers.ts';
import type { Monomial } from './integers.ts';
import { contractionWidth } from './kernels.ts';
import { boundsOf, emitLoops, joinLoops } from './loop-order.ts';
import type { LoopBounds, PlannedLoop } from './loop-order.ts';
import { axesOf, boxOf, fill, finishLoops } from './loops.ts';
import { Lowering } from './lowering.ts';
import { emitCall } from './matrices.ts';
import type { Operand } from './matrices.ts';
import { makeNest } from './nest.ts';
import type { Nest } from './nest.ts';
import type { IntegerExpression, LoopFunction, LoopStatement } from './types.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** What a run-time extent is taken for where sizes are weighed. */
const assumedBatch = 32;
/** Fewer products than this are not worth a call. */
const leastProducts = { perCall: 128, altogether: 1024 };

export interface Contraction {
  readonly statements: LoopStatement[];
  /** The kernel's block width. */
  readonly width: number;
  /** The function through which it is called, where that is not the kernel itself. */
  readonly entry: LoopFunction | undefined;
}

/** True if the statement is worth a kernel. */
export function isContraction(statement: Statement, tensors: Tensors): boolean {
  return recognise(statement, tensors) !== undefined;
}

/** The loops of a statement around a kernel call; undefined if it is not a contraction, or a tiny one. */
export function contractionLoops(
  statement: Statement,
  scope: FunctionScope,
  tensors: Tensors,
): Contraction | undefined {
  const found = recognise(statement, tensors);
  return found && emit(found, scope, tensors);
}

// ------------------------------------------------------------------------------------------------------ recognising it

interface Recognised {
  readonly nest: Nest;
  readonly factors: Factors;
  readonly flats: Flats;
  readonly choice: Choice;
}

function recognise(statement: Statement, tensors: Tensors): Recognised | undefined {
  if (statement.combine !== 'sum') return undefined;
  const nest = makeNest(statement, tensors);
  const factors = nest.scatter ? undefined : twoReads(nest.body, tensors);
  if (!factors || tensors.get(nest.target)?.element !== 'real') return undefined;
  const flats = {
    a: flatten(axesOf(tensors, factors.reads[0].tensor), factors.reads[0].at),
    b: flatten(axesOf(tensors, factors.reads[1].tensor), factors.reads[1].at),
    c: flatten(axesOf(tensors, nest.target), nest.write),
  };
  const choice = choose(nest, flats);
  return choice && { nest, factors, flats, choice };
}

interface Factors {
  readonly reads: readonly [Read, Read];
  /** What does not depend on any index: applied to the sum. */
  readonly rest: readonly { readonly factor: Expression; readonly divides: boolean }[];
}

function twoReads(body: Expression, tensors: Tensors): Factors | undefined {
  const found: Read[] = [];
  const rest: { factor: Expression; divides: boolean }[] = [];
  const pending: { node: Expression; divides: boolean }[] = [{ node: body, divides: false }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, divides } = next;
    if (node.kind === 'binary' && node.operator === 'multiply' && !divides)
      pending.push({ node: node.right, divides }, { node: node.left, divides });
    else if (node.kind === 'binary' && node.operator === 'divide' && !divides)
      pending.push({ node: node.right, divides: true }, { node: node.left, divides });
    else if (node.kind === 'read' && node.at.length > 0 && !divides) found.push(node);
    else if (isScalar(node)) rest.push({ factor: node, divides });
    else return undefined;
  }
  const [first, second] = found;
  if (!first || !second || found.length > 2) return undefined;
  const plain = found.every(
    (node) => node.outside === undefined && tensors.get(node.tensor)?.element === 'real',
  );
  return plain ? { reads: [first, second], rest } : undefined;
}

function isScalar(node: Expression): boolean {
  return (
    node.kind === 'constant' || node.kind === 'extent_value' || (node.kind === 'read' && node.at.length === 0)
  );
}

type Flats = { readonly a: Flat; readonly b: Flat; readonly c: Flat };

interface Choice {
  /** The operand of which blocks are held is a; its own index is that of the rows. */
  readonly held: 'a' | 'b';
  readonly rows: PlannedLoop;
  /** The index along which the other operand and the target are streamed. */
  readonly columns: PlannedLoop;
  readonly k: PlannedLoop;
}

/** The three kernel loops, and which operand is held, that promise the fastest calls. */
function choose(nest: Nest, flats: Flats): Choice | undefined {
  const all = [flats.a, flats.b, flats.c];
  const constrained = new Set(nest.domain.flatMap(({ index }) => [...indexNames(index)]));
  const affine = nest.loops.filter(
    (loop) =>
      all.every((flat) => !isOpaque(flat, loop.name)) &&
      nest.domain.every(({ index }) => !constrained.has(loop.name) || isDirect(index, loop.name)),
  );
  const where = (name: string): string =>
    (['a', 'b', 'c'] as const).filter((operand) => strideIn(flats[operand], name)).join('');
  const groups = (kind: string): PlannedLoop[] =>
    joinAny(
      affine.filter((loop) => where(loop.name) === kind),
      all,
      constrained,
    );
  const choices = groups('ac').flatMap((m) =>
    groups('bc').flatMap((n) =>
      groups('ab').flatMap((k): Choice[] => [
        { held: 'a', rows: m, columns: n, k },
        { held: 'b', rows: n, columns: m, k },
      ]),
    ),
  );
  const [best] = choices
    .filter((choice) => separable(nest, choice) && products(choice) >= leastProducts.perCall)
    .toSorted((x, y) => speed(y, flats) - speed(x, flats));
  const whole = nest.loops.reduce((total, loop) => total * weight(loop.extent), 1);
  return best && whole >= leastProducts.altogether && lengthOf(best.k) > 1 ? best : undefined;
}

/**
 * An estimate of products per time, relative to the best, from measurements: narrow blocks, rows left over from blocks
 * of eight, short streams and calls cost; a stream that meets another line of the cache at every step costs most.
 */
function speed(choice: Choice, flats: Flats): number {
  const { rows, columns, k, held } = choice;
  const width = Math.min(lengthOf(k), 8);
  const leftOver = lengthOf(rows) % 8;
  const streamed = [flats.c, held === 'a' ? flats.b : flats.a];
  const near = streamed.every((flat) => size(strideIn(flat, columns.name)) <= 16);
  return (
    (width / (width + 2)) *
    ((lengthOf(rows) - leftOver / 2) / lengthOf(rows)) *
    (lengthOf(columns) / (lengthOf(columns) + 4)) *
    (near ? 1 : 0.6) *
    (products(choice) / (products(choice) + 200))
  );
}

function isDirect(index: Nest['domain'][number]['index'], name: string): boolean {
  return !indexNames(index).has(name) || coefficientOf(index, name) !== 0;
}

/** Joins also indices that are not neighbours: in the order of their strides. */
function joinAny(loops: Nest['loops'], flats: readonly Flat[], used: ReadonlySet<string>): PlannedLoop[] {
  const step = (name: string): number => Math.max(...flats.map((flat) => size(strideIn(flat, name))));
  return joinLoops(
    loops.toSorted((x, y) => step(y.name) - step(x.name)),
    flats,
    used,
  );
}

function size(stride: Monomial | undefined): number {
  return stride ? Math.abs(stride.coefficient) * assumedBatch ** stride.symbols.length : 0;
}

/** A constraint may bound one of the kernel's loops, by what is known outside. */
function separable(nest: Nest, { rows, columns, k }: Choice): boolean {
  return nest.domain.every(({ index }) => {
    const names = indexNames(index);
    return [rows, columns, k].filter((loop) => names.has(loop.name)).length <= 1;
  });
}

function weight(extent: number | string): number {
  return typeof extent === 'number' ? extent : assumedBatch;
}

function lengthOf(loop: PlannedLoop): number {
  return loop.extents.reduce<number>((total, extent) => total * weight(extent), 1);
}

function products({ rows, columns, k }: Choice): number {
  return lengthOf(rows) * lengthOf(columns) * lengthOf(k);
}

// ---------------------------------------------------------------------------------------------------------- emitting it

const nowhere: LoopBounds = { from: integer(0), to: integer(0), isOrdered: true };

function emit(recognised: Recognised, scope: FunctionScope, tensors: Tensors): Contraction {
  const { nest, factors, flats, choice } = recognised;
  const { rows, columns, k } = choice;
  const inKernel = new Set([rows, columns, k].map((loop) => loop.name));
  // The joined ones are known by the innermost index: what they swallowed has no loop.
  const swallowed = new Set([rows, columns, k].flatMap((loop) => loop.members));
  const box = boxOf(nest, tensors);
  const lowering = new Lowering(scope, tensors, box.extents);
  const around = nest.loops
    .filter((loop) => !swallowed.has(loop.name))
    .map((loop): PlannedLoop => ({ ...loop, base: loop.name, members: [loop.name], extents: [loop.extent] }));
  const order = [...around.filter((loop) => !loop.reduced), ...around.filter((loop) => loop.reduced)];
  const bounding = (loop: PlannedLoop): Nest['domain'] =>
    nest.domain.filter(({ index }) => indexNames(index).has(loop.name));
  const outer = nest.domain.filter(({ index }) =>
    [...indexNames(index)].every((name) => !inKernel.has(name)),
  );
  // Bounds may cut it short: at the edges of a padded picture. Mostly it is as long as it gets.
  const fixedK = k.extents.every((extent) => typeof extent === 'number');
  const width = contractionWidth(fixedK ? lengthOf(k) : undefined);
  const [first, second] = factors.reads;
  const a = { buffer: scope.buffer(first.tensor, 'read'), tensor: first.tensor, flat: flats.a };
  const b = { buffer: scope.buffer(second.tensor, 'read'), tensor: second.tensor, flat: flats.b };
  const c = { buffer: scope.buffer(nest.target, 'update'), tensor: nest.target, flat: flats.c };
  // Operands and target are transposed by their strides.
  const [held, streamed] = choice.held === 'a' ? [a, b] : [b, a];
  let entry: LoopFunction | undefined;
  emitLoops(lowering, order, outer, box, () => {
    const bounds = new Map(
      [rows, columns, k].map((loop) => [loop, boundsOf(lowering, loop, bounding(loop), box)]),
    );
    const length = (loop: PlannedLoop): IntegerExpression => {
      const { from, to, isOrdered } = bounds.get(loop) ?? nowhere;
      const extent = sum(to, product(from, integer(-1)));
      // a window that lies outside has no places; the kernel takes no negative number of them
      const count = isOrdered ? extent : maximum(extent, integer(0));
      return lowering.bindInteger(count, lowering.depth, `${loop.base}_count`);
    };
    const stride = (flat: Flat, loop: PlannedLoop): IntegerExpression => {
      const step = strideIn(flat, loop.name);
      if (!step) return integer(0);
      return [...step.symbols.map((symbol) => scope.extent(symbol)), integer(step.coefficient)].reduce(
        product,
      );
    };
    const begin = (operand: typeof a): IntegerExpression => {
      const rest = operand.flat.filter(({ atom }) => atom?.kind !== 'index' || !swallowed.has(atom.name));
      const start = lowering.place(operand.tensor, rest).value;
      const shifts = [rows, columns, k].map((loop) =>
        product(stride(operand.flat, loop), bounds.get(loop)?.from ?? integer(0)),
      );
      return sum(start, ...shifts);
    };
    const operand = (of: typeof a, row: PlannedLoop, column: PlannedLoop): Operand => ({
      buffer: of.buffer,
      row: stride(of.flat, row),
      column: stride(of.flat, column),
      at: begin(of),
    });
    const call = emitCall({
      a: operand(held, rows, k),
      b: operand(streamed, k, columns),
      c: operand(c, rows, columns),
      m: length(rows),
      n: length(columns),
      k: length(k),
      width,
    });
    entry = call.entry;
    lowering.innermost.push(...call.statements);
  });
  return {
    statements: [
      fill(nest, scope),
      ...lowering.innermost,
      ...finishLoops(scaled(nest, factors), lowering, tensors),
    ],
    width,
    entry,
  };
}

/** Scalar factors multiply the sum, not its terms. */
function scaled(nest: Nest, factors: Factors): Nest {
  if (factors.rest.length === 0) return nest;
  const value = factors.rest.reduce<Expression>(
    (total, { factor, divides }) => (divides ? binary('divide', total, factor) : multiply(total, factor)),
    accumulated,
  );
  return { ...nest, finish: nest.finish ? replaceAccumulated(nest.finish, value) : value };
}
