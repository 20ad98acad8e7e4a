/**
 * p = exp(u - logsumexp(u)) along a row. The logsumexp takes the same exponentials: each is taken once and stays in the
 * place of p until their sum is known.
 *
 *     M = max u      e = exp(u - M)      total = Σ e      p = e · (1 / total)      logsumexp(u) = M + log(total)
 *
 * Who else reads the logsumexp must not matter to p: a predictor gives what its trainer gives. So p is always of this form,
 * and where the logsumexp is wanted by steps that have no use for p, it has a function of its own as well, of the same
 * values. A statement that makes more of p than a multiple takes each exponential again, as exp(u - M) · (1 / total).
 */
import {
  accumulated,
  constant,
  equalExpressions,
  indexOf,
  isPlainIndex,
  isScatter,
  mapExpression,
  multiply,
  postorder,
  read,
  select,
  substituteIndices,
  subtract,
  tensorsIn,
  tensorsReadBy,
  unary,
} from '../graph/expressions.ts';
import type { Expression, Read, Statement, Tensor } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import type { Group, Part } from './groups.ts';
import { hasGuards } from './guards.ts';
import { emitLoops, flatsOf, joinLoops, namesInUse } from './loop-order.ts';
import type { Box, PlannedLoop } from './loop-order.ts';
import { byCost, logarithmOf, reduction, store, storeResult, sumOfExponentials } from './loops.ts';
import { Lowering } from './lowering.ts';
import { makeNest } from './nest.ts';
import type { Nest } from './nest.ts';
import { expressionsOf, isPlain } from './row-loops.ts';
import type { LoopStatement, Value } from './types.ts';

type Tensors = ReadonlyMap<string, Tensor>;

// ---------------------------------------------------------------------------------------------------- recognising it

interface Softmax {
  /** The names of the rows in the statement that makes p. */
  readonly rows: readonly string[];
  /** The logsumexp, over the indices of that statement. */
  readonly total: Nest;
  readonly last: Nest;
  /** The place of the result may hold the exponentials: what it is made of besides is constant. */
  readonly stays: boolean;
}

/**
 * The groups of statements that are, or make, a softmax: they stand where the statement would. An empty list: a group at
 * another place computes it.
 *
 * @param kept tensors that are read by others than statements
 */
export function softmaxGroups(
  parts: ReadonlyMap<Statement, ReadonlySet<Part>>,
  tensors: Tensors,
  kept: { has(tensor: string): boolean },
): Map<Statement, Group[]> {
  const groups = new Map<Statement, Group[]>();
  const totals = new Map<string, Statement>();
  for (const statement of parts.keys())
    if (statement.combine === 'logsumexp') totals.set(statement.target, statement);
  /** The steps in which each logsumexp is not computed with a softmax. */
  const left = new Map<Statement, Set<Part>>();
  for (const [reader, of] of parts) {
    const total = [...tensorsReadBy(reader)].flatMap((tensor) => totals.get(tensor) ?? [])[0];
    const found = total && match(total, reader, tensors);
    const among = total && parts.get(total);
    if (!found || !among || ![...of].every((part) => among.has(part))) continue;
    const group: Group = { statements: [total, reader], parts: of, rowwise: true, form: 'softmax' };
    const rest = left.get(total) ?? new Set(among);
    left.set(total, rest);
    // it reads what the logsumexp reads: it may stand there, before all who read the logsumexp
    const first = found.stays && [...of].every((part) => rest.has(part));
    groups.set(reader, first ? [] : [group]);
    groups.set(total, [...(groups.get(total) ?? []), ...(first ? [group] : [])]);
    if (first) for (const part of of) rest.delete(part);
  }
  for (const [total, rest] of left) {
    const readers = [...parts].filter(
      ([reader]) => !groups.has(reader) && tensorsReadBy(reader).has(total.target),
    );
    const own = [...rest].filter((part) => kept.has(total.target) || readers.some(([, of]) => of.has(part)));
    if (own.length > 0) groups.get(total)?.push({ statements: [total], parts: new Set(own) });
  }
  return groups;
}

/** How `last` is made of the softmax of `total`'s rows; undefined if it is not. */
function match(total: Statement, last: Statement, tensors: Tensors): Softmax | undefined {
  if (total.scan || last.scan || total.finish || isScatter(total) || isScatter(last)) return undefined;
  if (!['assign', 'sum', 'product', 'max', 'min'].includes(last.combine)) return undefined;
  if (tensors.get(last.target)?.element === 'integer') return undefined;
  const [found, ...others] = softmaxesIn(last.body, total.target);
  if (!found || others.some((other) => !equalExpressions(other.node, found.node))) return undefined;
  const rows = found.of.at.flatMap((index) => isPlainIndex(index) ?? []);
  const written = new Set(last.indices.slice(0, last.write.length).map(({ name }) => name));
  if (rows.length !== total.write.length || rows.some((name) => !written.has(name))) return undefined;
  const along = last.indices.filter(({ name }) => !rows.includes(name));
  const names = [...rows, ...along.map(({ name }) => name)];
  if (new Set(rows).size !== rows.length || names.length !== total.indices.length) return undefined;
  const extents = new Map(last.indices.map(({ name, extent }) => [name, extent]));
  if (total.indices.some(({ extent }, axis) => extents.get(names[axis] ?? '') !== extent)) return undefined;
  const renaming = new Map(total.indices.map(({ name }, axis) => [name, indexOf(names[axis] ?? name)]));
  const body = substituteIndices(total.body, renaming);
  if (!equalExpressions(body, found.exponent)) return undefined;
  const renamed: Statement = {
    ...total,
    indices: total.indices.map((index, axis) => ({ ...index, name: names[axis] ?? index.name })),
    write: total.write.map((index) => substituteIndices(index, renaming)),
    body,
  };
  const nests = [makeNest(renamed, tensors), makeNest(last, tensors)] as const;
  const isKnown = nests.every((nest) => isPlain(nest) && nest.loops.every(({ name }) => extents.has(name)));
  if (!isKnown) return undefined;
  const [nest, ofLast] = nests;
  const rest = mapExpression(last.body, (node) => (isSoftmax(node, total.target) ? accumulated : node));
  const stays =
    ofLast.combine === 'assign' &&
    ofLast.finish === undefined &&
    last.finish === undefined &&
    tensorsIn(rest).size === 0 &&
    !hasGuards(withoutConditions(found.exponent).inner, 'logsumexp', extents, tensors);
  return { rows, total: nest, last: ofLast, stays };
}

interface Found {
  readonly node: Expression;
  readonly exponent: Expression;
  readonly of: Read;
}

function softmaxesIn(body: Expression, total: string): Found[] {
  return postorder(body).flatMap((node) => partsOf(node, total) ?? []);
}

function isSoftmax(node: Expression, total: string): boolean {
  return partsOf(node, total) !== undefined;
}

/** exp(exponent - total[..]). */
function partsOf(node: Expression, total: string): Found | undefined {
  if (node.kind !== 'unary' || node.operator !== 'exp') return undefined;
  const { operand } = node;
  if (operand.kind !== 'binary' || operand.operator !== 'subtract') return undefined;
  const { left: exponent, right: of } = operand;
  return of.kind === 'read' && of.tensor === total && of.outside === undefined
    ? { node, exponent, of }
    : undefined;
}

/** What is chosen where conditions hold, and -∞ elsewhere. */
function withoutConditions(exponent: Expression): {
  readonly conditions: readonly Expression[];
  readonly inner: Expression;
} {
  const conditions: Expression[] = [];
  let inner = exponent;
  while (
    inner.kind === 'select' &&
    inner.otherwise.kind === 'constant' &&
    inner.otherwise.value === -Infinity
  ) {
    conditions.push(inner.condition);
    inner = inner.then;
  }
  return { conditions, inner };
}

// --------------------------------------------------------------------------------------------------------- emitting it

/** Known inside the loop over rows only. */
const shift = read('(shift)');
const scale = read('(scale)');

/** The loops of a logsumexp and of what is made of its softmax; `inside`: tensors that are read nowhere else. */
export function softmaxLoops(
  statements: readonly Statement[],
  scope: FunctionScope,
  tensors: Tensors,
  inside: ReadonlySet<string>,
): LoopStatement[] {
  const [first, final] = statements;
  const found = first && final && match(first, final, tensors);
  if (!found) throw new Error('the statements of a softmax do not fit');
  const { rows, total, stays } = found;
  const last = { ...found.last, body: ofShifted(found) };
  const extents = new Map(final.indices.map(({ name, extent }) => [name, extent]));
  const box: Box = { extents, tensors };
  const lowering = new Lowering(scope, tensors, extents);
  const written = flatten(storedAs(tensors, last.target), last.write);
  const expressions = [...expressionsOf(total), ...expressionsOf(last)];
  const flats = [
    ...flatsOf(expressions, tensors),
    written,
    flatten(storedAs(tensors, total.target), total.write),
  ];
  const names = last.loops.map(({ name }) => name);
  const used = namesInUse(expressions, flats, [...total.domain, ...last.domain], names);
  const isRow = ({ name }: { readonly name: string }): boolean => rows.includes(name);
  const joined = (loops: Nest['loops']): PlannedLoop[] => joinLoops(loops, flats, used);
  const outer = joined(last.loops.filter(isRow));
  const along = byCost(joined(total.loops.filter((loop) => !isRow(loop))), flats);
  emitLoops(lowering, outer, [], box, () => {
    lowering.count(total.body);
    const sum = sumOfExponentials(
      lowering,
      total,
      (body) => emitLoops(lowering, along, total.domain, box, body),
      (exponential) => {
        if (stays) store(lowering, last.target, written, exponential, false);
      },
    );
    const constantOf = (wish: string, value: Value): Value => {
      const name = scope.declare(wish);
      lowering.innermost.push({ kind: 'constant', name, value });
      return { kind: 'variable', name };
    };
    const reads = expressionsOf(last).some((each) => tensorsIn(each).has(total.target));
    if (reads || !inside.has(total.target)) {
      const value = constantOf(`${total.target}_${rows.join('')}`, logarithmOf(sum));
      if (!inside.has(total.target))
        store(lowering, total.target, flatten(storedAs(tensors, total.target), total.write), value, false);
      lowering.forward(total.target, value);
    }
    const one: Value = { kind: 'number', value: 1 };
    const inverse: Value = { kind: 'binary', operator: 'divide', left: one, right: sum.total };
    lowering.forward(scale.tensor, constantOf('scale', inverse));
    lowering.forward(shift.tensor, sum.shift);
    lowering.count(...expressionsOf(last));
    const inner = last.loops.filter((loop) => !isRow(loop));
    const reduced = byCost(joined(inner.filter((loop) => loop.reduced)), flats);
    const reduce = (body: () => void): void => emitLoops(lowering, reduced, last.domain, box, body);
    emitLoops(lowering, joined(inner.filter((loop) => !loop.reduced)), [], box, () => {
      const result =
        last.combine === 'assign'
          ? lowering.value(last.body)
          : reduction(lowering, last, reduced, reduce, undefined);
      storeResult(lowering, last, written, result);
    });
  });
  return lowering.innermost;
}

/** The last statement's body with each softmax as an exponential times the scale. */
function ofShifted({ total, last, stays }: Softmax): Expression {
  const here = read(last.target, last.write);
  return mapExpression(last.body, (node) => {
    const found = partsOf(node, total.target);
    if (!found) return node;
    if (!stays) return multiply(unary('exp', subtract(found.exponent, shift)), scale);
    // where the row has no terms, nothing was left
    const conditions = total.domain.length === 0 ? [] : withoutConditions(found.exponent).conditions;
    const value = conditions.reduceRight<Expression>(
      (then, condition) => select(condition, then, constant(0)),
      here,
    );
    return multiply(value, scale);
  });
}
