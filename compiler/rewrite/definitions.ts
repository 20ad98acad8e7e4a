/** What the tensors of a program are defined as, seen from a read: the way rules look through names. */
import {
  equalExpressions,
  freeIndices,
  indexOf,
  isScatter,
  rangeOf,
  reducedIndices,
  replaceAccumulated,
  substituteIndices,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, Read, Statement, Tensor } from '../graph/types.ts';
import type { Reduction } from './matching.ts';
import type { HoleKind } from './patterns.ts';
import { factorsOf, termsOf } from './terms.ts';

export class Definitions {
  private readonly byTarget: ReadonlyMap<string, Statement>;
  /** Tensors that nothing looks through, because a derivative by them is wanted, or their cotangents are edited. */
  private readonly opaque: ReadonlySet<string>;
  private readonly memo = new WeakMap<Read, Expression>();
  /** What has been looked at since `watch`. */
  private looked = new Map<string, Statement | undefined>();

  constructor(byTarget: ReadonlyMap<string, Statement>, opaque: ReadonlySet<string> = new Set()) {
    this.byTarget = byTarget;
    this.opaque = opaque;
  }

  statement(tensor: string): Statement | undefined {
    const statement = this.seen(tensor);
    this.looked.set(tensor, statement);
    return statement;
  }

  private seen(tensor: string): Statement | undefined {
    return this.opaque.has(tensor) ? undefined : this.byTarget.get(tensor);
  }

  /** From now on, which definitions are looked at: what is found depends on nothing else of the program. */
  watch(): ReadonlyMap<string, Statement | undefined> {
    this.looked = new Map();
    return this.looked;
  }

  /** True if all these are defined as they were. */
  agreesWith(looked: ReadonlyMap<string, Statement | undefined>): boolean {
    return [...looked].every(([tensor, statement]) => this.seen(tensor) === statement);
  }

  /** The body behind a read of an elementwise tensor, at the place of the read. Not for reads that may be outside. */
  of(read: Read): Expression | undefined {
    const statement = this.statement(read.tensor);
    if (this.opaque.has(read.tensor)) return undefined;
    const known = this.memo.get(read);
    if (known !== undefined) return known;
    if (statement === undefined || !isElementwise(statement) || read.outside !== undefined) return undefined;
    const body = substituteIndices(valueOf(statement), placesOf(statement, read.at));
    this.memo.set(read, body);
    return body;
  }

  /** The sum that a read gives, also through copies of it. */
  sum(read: Read): Reduction | undefined {
    let current: Expression | undefined = read;
    while (current?.kind === 'read' && current.outside === undefined) {
      const statement = this.statement(current.tensor);
      const plain = statement !== undefined && !isScatter(statement) && statement.finish === undefined;
      if (this.opaque.has(current.tensor)) return undefined;
      if (plain && statement.combine === 'sum') return { statement, at: current.at };
      current = this.of(current);
    }
    return undefined;
  }
}

/** True if each element is one value of the body, written at its own indices. */
export function isElementwise(statement: Statement): boolean {
  return statement.combine === 'assign' && !isScatter(statement);
}

/** Of an elementwise statement: the whole right side as one expression. */
export function valueOf(statement: Statement): Expression {
  return statement.finish ? replaceAccumulated(statement.finish, statement.body) : statement.body;
}

/** For a statement that is no scatter: its written indices -> where they are read. */
export function placesOf(statement: Statement, at: readonly IndexExpression[]): Map<string, IndexExpression> {
  const places = new Map<string, IndexExpression>();
  for (const [axis, index] of at.entries()) {
    const loop = statement.indices[axis];
    if (loop !== undefined) places.set(loop.name, index);
  }
  return places;
}

/** The read of a statement's target at its own indices. */
export function ownPlace(statement: Statement): IndexExpression[] {
  return statement.write.map((_, axis) => indexOf(statement.indices[axis]?.name ?? ''));
}

/** True if nothing in the expression depends on a reduced index of the statement. */
export function isInvariant(expression: Expression, statement: Statement): boolean {
  const reduced = new Set(reducedIndices(statement).map((index) => index.name));
  return [...freeIndices(expression)].every((name) => !reduced.has(name));
}

// ------------------------------------------------------------------------------------------------- what holes may hold

/** Whether an expression may stand where a rule has a hole of this kind. */
export function fitsHole(
  kind: HoleKind,
  node: Expression,
  tensors: ReadonlyMap<string, Tensor>,
  definitions: Definitions,
): boolean {
  switch (kind) {
    case 'any':
      return true;
    case 'constant':
      return node.kind === 'constant';
    case 'size':
      return isSize(node);
    case 'truth':
      return isTruth(node) || isBit(node, tensors);
    case 'finite':
      return isFinite(node, tensors);
    case 'not_negative':
      return isNotNegative(node, definitions);
    case 'squares':
      return isSquares(node, definitions);
  }
}

/** True if the value is always 0 or 1. */
export function isTruth(node: Expression): boolean {
  if (node.kind === 'constant') return node.value === 0 || node.value === 1;
  return rangeOf(node) === 'truth';
}

/** True for an element of an integer tensor that holds 0 and 1 only. */
function isBit(node: Expression, tensors: ReadonlyMap<string, Tensor>): boolean {
  if (node.kind !== 'read' || (node.outside ?? 0) !== 0) return false;
  const range = tensors.get(node.tensor)?.range;
  return range !== undefined && range.least >= 0 && range.greatest <= 1;
}

/**
 * True if the value is provably a finite number: made of constants, sizes, index values, integers and comparisons.
 * A real tensor may hold inf or NaN, so that 0 · x and x - x stay as they are unless x is such an expression.
 */
export function isFinite(root: Expression, tensors: ReadonlyMap<string, Tensor>): boolean {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isTruth(node) || node.kind === 'index_value' || node.kind === 'extent_value') continue;
    if (node.kind === 'constant' && Number.isFinite(node.value)) continue;
    if (node.kind === 'read' && tensors.get(node.tensor)?.element === 'integer') continue;
    if (node.kind === 'select') stack.push(node.then, node.otherwise);
    else if (node.kind === 'unary' && rangeOf(node) === 'finite') stack.push(node.operand);
    else if (node.kind === 'binary' && rangeOf(node) === 'finite') stack.push(node.left, node.right);
    else if (node.kind === 'binary' && node.operator === 'divide' && isSize(node.right))
      stack.push(node.left);
    else return false;
  }
  return true;
}

/** A positive constant, a run-time size, or a product of such. */
function isSize(node: Expression): boolean {
  const { sign, numerator, denominator } = factorsOf(node);
  return (
    sign === 1 &&
    denominator.length === 0 &&
    numerator.every((factor) =>
      factor.kind === 'constant'
        ? factor.value > 0 && factor.value < Infinity
        : factor.kind === 'extent_value',
    )
  );
}

/** A square, a sum of squares, or one scaled by a size: never negative, and 0 only where all that is squared is. */
function isSquares(node: Expression, definitions: Definitions): boolean {
  if (node.kind === 'read') {
    const reduction = definitions.sum(node);
    if (reduction) return isSquares(reduction.statement.body, definitions);
    const definition = definitions.of(node);
    return definition !== undefined && isSquares(definition, definitions);
  }
  const terms = termsOf(node);
  if (terms.length > 1) return terms.every(({ sign, of }) => sign === 1 && isSquares(of, definitions));
  const { sign, numerator, denominator } = factorsOf(node);
  if (sign === -1 || !denominator.every(isSize)) return false;
  const rest = numerator.filter((factor) => !isSize(factor));
  const [first, second] = rest;
  if (rest.length === 2 && first && second) return equalExpressions(first, second);
  if (rest.length !== 1 || first === undefined) return false;
  if (first === node && first.kind !== 'binary') return false;
  if (first.kind === 'binary' && first.operator === 'power')
    return first.right.kind === 'constant' && first.right.value === 2;
  return first !== node && isSquares(first, definitions);
}

/** True for a sum of squares, sizes, truth values and functions that are never below zero. NaN stays NaN. */
function isNotNegative(node: Expression, definitions: Definitions): boolean {
  return termsOf(node).every(
    ({ sign, of }) =>
      sign === 1 &&
      (isSize(of) ||
        isTruth(of) ||
        isSquares(of, definitions) ||
        (of.kind === 'unary' && neverNegative.has(of.operator))),
  );
}

const neverNegative: ReadonlySet<string> = new Set([
  'abs',
  'exp',
  'sqrt',
  'cosh',
  'sigmoid',
  'softplus',
  'relu',
  'norm_sqrt',
]);
