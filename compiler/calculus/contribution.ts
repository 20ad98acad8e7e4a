/**
 * What a contribution to a cotangent is, and what its two forms (invert.ts, scatter.ts) share: conditions on places.
 */
import {
  binary,
  constant,
  equalIndices,
  extentValue,
  hasExact,
  indexBounds,
  indexValue,
  isInside,
  mapAtoms,
  mapExpression,
  mapIndices,
  one,
  quotientIndex,
  remainderIndex,
  scaleIndex,
  select,
  tightenIndex,
  visitAtoms,
  zero,
} from '../graph/expressions.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexExpression,
  LoopIndex,
  Read,
  Tensor,
} from '../graph/types.ts';
import { scale } from './derivative.ts';

/** A statement that does not know its target yet: dA[write] ⊕= body. */
export interface Contribution {
  readonly indices: readonly LoopIndex[];
  readonly write: readonly IndexExpression[];
  readonly combine: Combine;
  readonly body: Expression;
}

export interface ContributionContext {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The cotangent dT; undefined stands for the constant 1, the cotangent of the loss. */
  readonly cotangent: string | undefined;
  /** The axes of A. */
  readonly axes: readonly Extent[];
  /** What the indices of dA should be called, axis by axis, if these names are free. */
  readonly preferred: readonly string[];
  /** Indices that are the same in all statements: the row at hand, see rows.ts. */
  readonly ambient?: readonly LoopIndex[] | undefined;
}

/** The index expression must be a whole number in 0 .. extent-1. */
export interface Condition {
  readonly value: IndexExpression;
  readonly extent: Extent;
}

/** What is known of the indices at some place: how far they run. */
export interface Scope {
  readonly extents: ReadonlyMap<string, Extent>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** True if the condition holds everywhere, by interval arithmetic. */
export function isProven({ value, extent }: Condition, scope: Scope): boolean {
  return !hasExact(value) && isInside(value, extent, scope.extents, scope.tensors);
}

/** The same with floor instead of exact quotients: for places that a condition already guards. */
export function withoutExact(index: IndexExpression): IndexExpression {
  return mapAtoms(index, (atom) =>
    atom.kind === 'quotient' && atom.exact ? quotientIndex(atom.of, atom.by) : undefined,
  );
}

/** Quotients and remainders whose value interval arithmetic can tell, put in. */
export function tighten(index: IndexExpression, { extents, tensors }: Scope): IndexExpression {
  return tightenIndex(index, extents, tensors);
}

/** The condition as an expression, without the parts that interval arithmetic proves. */
export function conditionExpression({ value, extent }: Condition, scope: Scope): Expression {
  const parts: Expression[] = [];
  visitAtoms(value, (atom) => {
    if (atom.kind !== 'quotient' || !atom.exact) return;
    const remainder = tighten(remainderIndex(withoutExact(atom.of), atom.by), scope);
    parts.push(binary('equal', indexValue(remainder), zero));
  });
  const whole = withoutExact(value);
  const bounds = indexBounds(whole, scope.extents, scope.tensors) ?? { least: -Infinity, greatest: Infinity };
  if (bounds.least < 0) parts.push(compared(whole, 'greater_equal', 0));
  const below =
    typeof extent === 'number' ? bounds.greatest < extent : isInside(whole, extent, ...both(scope));
  if (!below)
    parts.push(
      typeof extent === 'number'
        ? compared(whole, 'less', extent)
        : binary('less', indexValue(whole), extentValue(extent)),
    );
  return conjunction(parts);
}

/** The comparison solved for what varies, as a person writes it: `g >= 192`, `t <= 10`, not `10 - t >= 0`. */
function compared(index: IndexExpression, operator: 'greater_equal' | 'less', limit: number): Expression {
  const rest = limit - index.constant;
  const varying = { ...index, constant: 0 };
  if (index.terms.some(({ coefficient }) => coefficient > 0) || index.terms.length === 0)
    return binary(operator, indexValue(varying), constant(rest));
  const mirrored = operator === 'less' ? 'greater' : 'less_equal';
  return binary(mirrored, indexValue(scaleIndex(varying, -1)), constant(-rest));
}

function both(scope: Scope): [Scope['extents'], Scope['tensors']] {
  return [scope.extents, scope.tensors];
}

function conjunction(parts: readonly Expression[]): Expression {
  const [first, ...rest] = parts;
  return first === undefined ? one : rest.reduce((all, part) => binary('and', all, part), first);
}

/** conditions ? cotangent · factor : 0 */
export function guarded(
  conditions: readonly Expression[],
  cotangent: Expression,
  factor: Expression,
): Expression {
  return select(conjunction(conditions), scale(cotangent, factor), zero);
}

/** A read at a place that may be outside gets a value for it; one that is provably inside needs none. */
export function secured(read: Read, scope: Scope): Read {
  const axes = scope.tensors.get(read.tensor)?.axes ?? [];
  const inside = read.at.every((value, axis) => isProven({ value, extent: axes[axis] ?? 0 }, scope));
  const { outside, ...bare } = read;
  return inside ? bare : { ...bare, outside: outside ?? 0 };
}

/** Every index tightened, every read secured, and index values free of exact quotients. */
export function securedExpression(expression: Expression, scope: Scope): Expression {
  const tightened = mapIndices(expression, (index) => tighten(index, scope));
  return mapExpression(tightened, (node) => {
    if (node.kind === 'read') return secured(node, scope);
    return node.kind === 'index_value' ? indexValue(withoutExact(node.index)) : node;
  });
}

/** True if every fetch inside the expressions is provably at a place of its tensor. */
export function fetchesInside(indices: Iterable<IndexExpression>, scope: Scope): boolean {
  let inside = true;
  for (const index of indices) {
    visitAtoms(index, (atom) => {
      if (atom.kind !== 'fetch') return;
      const axes = scope.tensors.get(atom.tensor)?.axes ?? [];
      inside &&= atom.at.every((value, axis) => isProven({ value, extent: axes[axis] ?? 0 }, scope));
    });
  }
  return inside;
}

/**
 * True if one of the places is just what the condition is about, or its first digit: a read there is outside where the
 * condition fails. f / 16 is in 0 .. 3 where f is in 0 .. 63.
 */
export function isAbsorbed(
  { value, extent }: Condition,
  place: readonly IndexExpression[],
  axes: readonly Extent[],
): boolean {
  return place.some((index, axis) => {
    const own = axes[axis];
    if (own === extent) return equalIndices(index, value);
    if (typeof own === 'string' || typeof extent === 'string' || own === undefined) return false;
    return extent % own === 0 && equalIndices(index, quotientIndex(value, extent / own));
  });
}

/** The cotangent read at a place, or the constant 1. */
export function cotangentAt(cotangent: string | undefined, at: readonly IndexExpression[]): Expression {
  return cotangent === undefined ? constant(1) : { kind: 'read', tensor: cotangent, at };
}
