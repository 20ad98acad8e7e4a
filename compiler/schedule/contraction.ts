/**
 * Contractions: a sum of products of two reads in which some index is of the first alone (m), some of the second alone
 * (n), and some of both and reduced (k). The longest of each kind become the three sizes of one kernel call; the other
 * indices are loops around it. Convolutions are such sums too: x[n, i + u, j + v, c] * K[u, v, c, f] has m = j, n = f and
 * k = (v, c), which run together in both operands. Measured against gathering the windows into rows for one product of
 * matrices (im2col): the direct loops take 0.5 to 1.03 of its time forward, 0.7 to 0.95 for dK, 0.7 to 1.2 for dx
 * (docs/PERFORMANCE.md), so that there is no such rule.
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
import { flatten, isOpaque, storedAs, strideIn } from './access.ts';
import type { Flat } from './access.ts';
import { chooseBlock, costOfCall, plainBlock, usualBlock, ways } from './blocks.ts';
import type { ChosenBlock } from './blocks.ts';
import { nothing } from './choices.ts';
import type { Without } from './choices.ts';
import type { KernelUse } from './function-list.ts';
import type { FunctionScope } from './function-scope.ts';
import { integer, maximum, product, sum } from './integers.ts';
import type { Monomial } from './integers.ts';
import { boundsOf, emitLoops, joinLoops } from './loop-order.ts';
import type { LoopBounds, PlannedLoop } from './loop-order.ts';
import { boxOf, fill, finishLoops } from './loops.ts';
import { Lowering } from './lowering.ts';
import { emitCall } from './matrices.ts';
import type { Operand } from './matrices.ts';
import { makeNest } from './nest.ts';
import type { Nest } from './nest.ts';
import type { Decision, IntegerExpression, LoopStatement } from './types.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/** What a run-time extent is taken for where sizes are weighed. */
const assumedBatch = 32;
/** Fewer products than this are not worth a call. */
const leastProducts = { perCall: 128, altogether: 1024 };

/** A contraction with less of the program's products than this shares the usual kernel: a block of its own is much text. */
const leastShare = 0.05;

export interface ContractionOptions {
  readonly without?: Without;
  /** The products of all contractions of the program (`totalProducts`). */
  readonly total?: number;
}

export interface Contraction {
  readonly statements: LoopStatement[];
  readonly kernel: KernelUse;
  readonly decision: Decision;
}

/** True if the statement is worth a kernel. */
export function isContraction(statement: Statement, tensors: Tensors): boolean {
  return recognise(statement, tensors) !== undefined;
}

/** The products of all these that are contractions, a batch taken for a usual one. */
export function totalProducts(statements: readonly Statement[], tensors: Tensors): number {
  return statements.reduce((total, statement) => {
    const found = recognise(statement, tensors);
    return found ? total + productsOf(found.nest) : total;
  }, 0);
}

/** The loops of a statement around a kernel call; undefined if it is not a contraction, or a tiny one. */
export function contractionLoops(
  statement: Statement,
  scope: FunctionScope,
  tensors: Tensors,
  options: ContractionOptions = {},
): Contraction | undefined {
  const found = recognise(statement, tensors, options);
  return found && emit(found, scope, tensors);
}

// ------------------------------------------------------------------------------------------------------ recognising it

interface Recognised {
  readonly nest: Nest;
  readonly factors: Factors;
  readonly flats: Flats;
  readonly choice: Choice;
}

function recognise(
  statement: Statement,
  tensors: Tensors,
  options: ContractionOptions = {},
): Recognised | undefined {
  if (statement.combine !== 'sum') return undefined;
  const nest = makeNest(statement, tensors);
  const factors = nest.scatter ? undefined : twoReads(nest.body, tensors);
  if (!factors || tensors.get(nest.target)?.element !== 'real') return undefined;
  const flats = {
    a: flatten(storedAs(tensors, factors.reads[0].tensor), factors.reads[0].at),
    b: flatten(storedAs(tensors, factors.reads[1].tensor), factors.reads[1].at),
    c: flatten(storedAs(tensors, nest.target), nest.write),
  };
  const choice = choose(nest, flats, options);
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
  /** A second one: the columns are those of so many lines. */
  readonly lines: PlannedLoop | undefined;
  readonly k: PlannedLoop;
  readonly block: ChosenBlock;
}

/** The kernel loops, and which operand is held, that promise to take the least time. */
function choose(nest: Nest, flats: Flats, options: ContractionOptions): Choice | undefined {
  const { without = nothing, total = 0 } = options;
  const whole = productsOf(nest);
  const blockFor = without.has('blocks')
    ? () => plainBlock
    : whole < leastShare * total
      ? () => usualBlock
      : chooseBlock;
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
  const [ofA, ofB, ofBoth] = [groups('ac'), groups('bc'), groups('ab')];
  const choices = (['a', 'b'] as const).flatMap((held) => {
    const [own, streamed] = held === 'a' ? [ofA, ofB] : [ofB, ofA];
    return own.flatMap((rows) =>
      streamed.flatMap((columns) =>
        ofBoth.flatMap((k) =>
          [undefined, ...(without.has('lines') ? [] : streamed.filter((other) => other !== columns))].map(
            (lines): Choice => {
              const colliding = apart(held === 'a' ? flats.b : flats.a, flats.c, rows, columns);
              const block = blockFor(knownLength(rows), knownLength(k), colliding);
              return { held, rows, columns, lines, k, block };
            },
          ),
        ),
      ),
    );
  });
  const [best] = choices
    .filter((choice) => separable(nest, choice) && products(choice) >= leastProducts.perCall)
    .map((choice) => ({ choice, cost: costOf(choice, flats) * (whole / products(choice)) }))
    .toSorted((x, y) => x.cost - y.cost);
  return best && whole >= leastProducts.altogether && lengthOf(best.choice.k) > 1 ? best.choice : undefined;
}

/** Places so far apart, in elements, fall on the same few lines of the cache. */
const conflicting = 1024;

function collides(flat: Flat, loop: PlannedLoop): boolean {
  const step = size(strideIn(flat, loop.name));
  return step % conflicting === 0 && step > 0;
}

/** The rows of the target collide, and nothing else does: the cache keeps some of them while the columns go by. */
function apart(streamed: Flat, target: Flat, rows: PlannedLoop, columns: PlannedLoop): boolean {
  return collides(target, rows) && !collides(target, columns) && !collides(streamed, columns);
}

/** What one call costs, by estimate. */
function costOf({ rows, columns, lines, k, held, block }: Choice, flats: Flats): number {
  const streamed = held === 'a' ? flats.b : flats.a;
  // measured: a step of an LSTM, 16 x 128 by 128 x 512 with rows 64 KB apart, 4.5 GFLOP/s by 16 rows, 6.1 by 8
  const kept = block.rows <= ways && apart(streamed, flats.c, rows, columns);
  const far = (flat: Flat): boolean => size(strideIn(flat, columns.name)) > 16;
  const distance =
    (far(flats.c) || far(streamed) ? 1.03 : 1) *
    (collides(flats.c, rows) ? (kept ? 1.1 : 2) : 1) *
    (collides(streamed, k) ? 1.6 : 1) *
    (collides(streamed, columns) ? 1.1 : 1) *
    (collides(flats.c, columns) ? 1.2 : 1);
  const cost = costOfCall({
    rows: lengthOf(rows),
    columns: lengthOf(columns),
    lines: lines ? lengthOf(lines) : 1,
    terms: lengthOf(k),
    block,
    distance,
  });
  // a batch is seldom a multiple of the block
  return knownLength(rows) === undefined ? cost * 1.06 : cost;
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
function separable(nest: Nest, choice: Choice): boolean {
  return nest.domain.every(({ index }) => {
    const names = indexNames(index);
    return loopsOf(choice).filter((loop) => names.has(loop.name)).length <= 1;
  });
}

/** The loops that are inside the kernel. */
function loopsOf({ rows, columns, lines, k }: Choice): PlannedLoop[] {
  return lines ? [rows, columns, lines, k] : [rows, columns, k];
}

/** At all points of the box. */
function productsOf({ loops, step }: Nest): number {
  return loops.reduce((total, loop) => total * weight(loop.extent), step ? weight(step.extent) : 1);
}

function weight(extent: number | string): number {
  return typeof extent === 'number' ? extent : assumedBatch;
}

function lengthOf(loop: PlannedLoop): number {
  return loop.extents.reduce<number>((total, extent) => total * weight(extent), 1);
}

/** Undefined where it is known at run time only. */
function knownLength(loop: PlannedLoop): number | undefined {
  return loop.extents.every((extent) => typeof extent === 'number') ? lengthOf(loop) : undefined;
}

function products(choice: Choice): number {
  return loopsOf(choice).reduce((total, loop) => total * lengthOf(loop), 1);
}

// ---------------------------------------------------------------------------------------------------------- emitting it

const nowhere: LoopBounds = { from: integer(0), to: integer(0), isOrdered: true };

function emit(recognised: Recognised, scope: FunctionScope, tensors: Tensors): Contraction {
  const { nest, factors, flats, choice } = recognised;
  const { rows, columns, lines, k, block } = choice;
  const inside = loopsOf(choice);
  const inKernel = new Set(inside.map((loop) => loop.name));
  // The joined ones are known by the innermost index: what they swallowed has no loop.
  const swallowed = new Set(inside.flatMap((loop) => loop.members));
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
  const [first, second] = factors.reads;
  const a = { buffer: scope.buffer(first.tensor, 'read'), tensor: first.tensor, flat: flats.a };
  const b = { buffer: scope.buffer(second.tensor, 'read'), tensor: second.tensor, flat: flats.b };
  const c = { buffer: scope.buffer(nest.target, 'update'), tensor: nest.target, flat: flats.c };
  // Operands and target are transposed by their strides.
  const [held, streamed] = choice.held === 'a' ? [a, b] : [b, a];
  const shape = { rows: block.rows, terms: block.terms, lines: lines !== undefined };
  let kernel: KernelUse = { shape, blocks: [] };
  emitLoops(lowering, order, outer, box, () => {
    const bounds = new Map(inside.map((loop) => [loop, boundsOf(lowering, loop, bounding(loop), box)]));
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
      const shifts = inside.map((loop) =>
        product(stride(operand.flat, loop), bounds.get(loop)?.from ?? integer(0)),
      );
      return sum(start, ...shifts);
    };
    const operand = (of: typeof a, row: PlannedLoop, column: PlannedLoop): Operand => ({
      buffer: of.buffer,
      row: stride(of.flat, row),
      column: stride(of.flat, column),
      ...(lines ? { line: stride(of.flat, lines) } : {}),
      at: begin(of),
    });
    const call = emitCall({
      a: withoutLine(operand(held, rows, k)),
      b: operand(streamed, k, columns),
      c: operand(c, rows, columns),
      m: length(rows),
      n: length(columns),
      k: length(k),
      ...(lines ? { lines: length(lines) } : {}),
      shape,
    });
    kernel = call.kernel;
    lowering.innermost.push(...call.statements);
  });
  return {
    statements: [
      fill(nest, scope),
      ...lowering.innermost,
      ...finishLoops(scaled(nest, factors), lowering, tensors),
    ],
    kernel,
    decision: { form: 'kernels', why: reasonFor(choice, held.tensor) },
  };
}

function withoutLine({ buffer, row, column, at }: Operand): Operand {
  return { buffer, row, column, at };
}

/** For who asks why: what is held, and why in such blocks. */
function reasonFor({ rows, columns, lines, k, block }: Choice, held: string): string {
  const stream = lines ? `${columns.base}, ${lines.base} by ${lines.base}` : columns.base;
  return `blocks of ${held} (${rows.base} x ${k.base}) are held along ${stream}; ${block.why}`;
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
