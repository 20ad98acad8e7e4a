/**
 * Guards that make a whole term vanish (a factor that is 0 outside, a maximum over a read that is -∞ outside, a chosen
 * branch of which the other is neutral) are taken out of the body: they become constraints on the indices.
 */
import {
  addIndex,
  constantIndex,
  fetchIndex,
  isInside,
  neutralElements,
  one,
  scaleIndex,
  subtractIndex,
  visitAtoms,
} from '../graph/expressions.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexAtom,
  IndexExpression,
  Read,
  Tensor,
} from '../graph/types.ts';

/** index + symbol (if any) >= 0 */
export interface Constraint {
  readonly index: IndexExpression;
  readonly symbol?: string;
}

/** 0 <= index < axis. */
export function insideConstraints(index: IndexExpression, axis: Extent): Constraint[] {
  const fromEnd = scaleIndex(index, -1);
  return [
    { index },
    typeof axis === 'number'
      ? { index: addIndex(constantIndex(axis - 1), fromEnd) }
      : { index: addIndex(constantIndex(-1), fromEnd), symbol: axis },
  ];
}

/** The exact quotients in an index expression. */
export function exactQuotients(index: IndexExpression): Extract<IndexAtom, { kind: 'quotient' }>[] {
  const found: Extract<IndexAtom, { kind: 'quotient' }>[] = [];
  visitAtoms(index, (atom) => {
    if (atom.kind === 'quotient' && atom.exact) found.push(atom);
  });
  return found;
}

export interface Absorbed {
  readonly body: Expression;
  readonly constraints: readonly Constraint[];
  /** Of `assign`: the value where the constraints do not hold; undefined: the neutral element. */
  readonly initial?: number;
  /** Index expressions that must be 0. */
  readonly equalities: readonly IndexExpression[];
  /** Quotients that must be whole. */
  readonly exact: readonly Extract<IndexAtom, { kind: 'quotient' }>[];
}

export function absorbGuards(
  body: Expression,
  combine: Combine,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): Absorbed {
  const constraints: Constraint[] = [];
  const equalities: IndexExpression[] = [];
  const exact = new Map<string, Extract<IndexAtom, { kind: 'quotient' }>>();
  const multiplicative = combine === 'sum' || combine === 'assign';
  let initial: number | undefined;

  const keep = (comparison: Comparison): void => {
    constraints.push(...comparison.constraints);
    equalities.push(...comparison.equalities);
  };

  const takeRead = (node: Read): Expression => {
    const axes = tensors.get(node.tensor)?.axes ?? [];
    node.at.forEach((index, axis) => {
      const extent = axes[axis];
      for (const quotient of exactQuotients(index)) exact.set(JSON.stringify(quotient), quotient);
      if (extent !== undefined && !isInside(index, extent, extents, tensors))
        constraints.push(...insideConstraints(index, extent));
    });
    return { kind: 'read', tensor: node.tensor, at: node.at };
  };

  /** The node without the guards that make it `vanishing` where they fail. */
  const take = (node: Expression, vanishing: number): Expression => {
    if (node.kind === 'read' && node.outside === vanishing) return takeRead(node);
    if (node.kind === 'select' && isNumber(node.otherwise, vanishing)) {
      const conditions = integerComparison(node.condition, tensors);
      if (conditions) {
        keep(conditions);
        return take(node.then, vanishing);
      }
    }
    if (!multiplicative || vanishing !== 0) return node;
    if (node.kind === 'binary' && node.operator === 'multiply') {
      const left = take(node.left, 0);
      const right = take(node.right, 0);
      if (left === one) return right;
      return right === one ? left : { ...node, left, right };
    }
    if (node.kind === 'binary' && node.operator === 'divide') return { ...node, left: take(node.left, 0) };
    if (node.kind === 'unary' && node.operator === 'negate')
      return { ...node, operand: take(node.operand, 0) };
    const conditions = integerComparison(node, tensors);
    if (!conditions) return node;
    keep(conditions);
    return one;
  };

  if (combine === 'assign' && body.kind === 'read' && body.outside !== undefined) {
    const outside = body.outside;
    const inner = take(body, outside);
    if (constraints.length > 0 || exact.size > 0) initial = outside;
    return {
      body: inner,
      constraints,
      equalities,
      exact: [...exact.values()],
      ...(initial === undefined ? {} : { initial }),
    };
  }
  // The neutral element of argmax and argmin is a place, not a value.
  const vanishing =
    combine === 'argmax' ? -Infinity : combine === 'argmin' ? Infinity : neutralElements[combine];
  const places = combine === 'argmax' || combine === 'argmin';
  const inner = places ? body : take(body, vanishing);
  return { body: inner, constraints, equalities, exact: [...exact.values()] };
}

/** True if some guard of the body would become a constraint: such a statement has loops of its own. */
export function hasGuards(
  body: Expression,
  combine: Combine,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): boolean {
  const absorbed = absorbGuards(body, combine, extents, tensors);
  return absorbed.constraints.length + absorbed.equalities.length + absorbed.exact.length > 0;
}

function isNumber(node: Expression, value: number): boolean {
  return node.kind === 'constant' && node.value === value;
}

interface Comparison {
  readonly constraints: readonly Constraint[];
  readonly equalities: readonly IndexExpression[];
}

/** Comparisons of index values as constraints; undefined for what is not (only) that. */
function integerComparison(node: Expression, tensors: ReadonlyMap<string, Tensor>): Comparison | undefined {
  if (node.kind !== 'binary') return undefined;
  if (node.operator === 'and') {
    const left = integerComparison(node.left, tensors);
    const right = integerComparison(node.right, tensors);
    if (!left || !right) return undefined;
    return {
      constraints: [...left.constraints, ...right.constraints],
      equalities: [...left.equalities, ...right.equalities],
    };
  }
  const left = asIndex(node.left, tensors);
  const right = asIndex(node.right, tensors);
  if (!left || !right || ![node.left, node.right].some((side) => side.kind === 'index_value'))
    return undefined;
  const notBelow = (great: IndexExpression, small: IndexExpression, by: number): Comparison => ({
    constraints: [{ index: subtractIndex(great, addIndex(small, constantIndex(by))) }],
    equalities: [],
  });
  switch (node.operator) {
    case 'less':
      return notBelow(right, left, 1);
    case 'less_equal':
      return notBelow(right, left, 0);
    case 'greater':
      return notBelow(left, right, 1);
    case 'greater_equal':
      return notBelow(left, right, 0);
    case 'equal':
      return { constraints: [], equalities: [subtractIndex(left, right)] };
    default:
      return undefined;
  }
}

/** An expression whose value is an index expression: an index value, a whole number, an element of an integer tensor. */
function asIndex(node: Expression, tensors: ReadonlyMap<string, Tensor>): IndexExpression | undefined {
  if (node.kind === 'index_value') return node.index;
  if (node.kind === 'constant') return Number.isInteger(node.value) ? constantIndex(node.value) : undefined;
  const fetched =
    node.kind === 'read' && node.outside === undefined && tensors.get(node.tensor)?.element === 'integer';
  return fetched ? fetchIndex(node.tensor, node.at) : undefined;
}
