/**
 * The last rung of the ladder: dA[β(L)] += dT[α(L)] · factor(L), a scatter. It is right for every map β, repeated,
 * rank-deficient or data-dependent, and hence what the tests hold the inverted form against.
 */
import {
  binary,
  equalIndices,
  extentsOf,
  fetchIndex,
  freshName,
  indexNames,
  indexOf,
  indexValue,
  isInside,
  isPlainIndex,
  mapAtoms,
  mapIndices,
  remainderIndex,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, LoopIndex } from '../graph/types.ts';
import {
  conditionExpression,
  cotangentAt,
  guarded,
  isProven,
  securedExpression,
  tighten,
  withoutExact,
  type Contribution,
  type ContributionContext,
  type Scope,
} from './contribution.ts';
import type { ConditionalTerm } from './digits.ts';

/**
 * The contribution of a term to the cotangent of what it reads, as a scatter; 0 where its conditions do not hold. With
 * `stepAxis`, the axis that counts the steps of a recurrence: of all axes this one alone is written at its index.
 */
export function scatter(
  { term, conditions: given }: ConditionalTerm,
  context: ContributionContext,
  stepAxis?: number,
): Contribution {
  const { tensors, cotangent, axes, preferred, ambient = [] } = context;
  const scope: Scope = { extents: extentsOf([...term.indices, ...ambient]), tensors };
  const doubtful = given.filter((condition) => !isProven(condition, scope));
  const conditions: Expression[] = doubtful.map((condition) => conditionExpression(condition, scope));
  const swept: LoopIndex[] = [];

  // An axis whose place cannot be kept inside by a remainder is swept whole and compared: of a run-time size, or of
  // a plain index that covers a part only (a plain write must cover its axis).
  const sweep = (axis: number, value: IndexExpression): IndexExpression => {
    const taken = new Set([...scope.extents.keys(), ...swept.map((index) => index.name)]);
    const name = freshName(preferred[axis] ?? 'i', taken);
    swept.push({ name, extent: axes[axis] ?? 0 });
    conditions.push(binary('equal', indexValue(value), indexValue(indexOf(name))));
    return indexOf(name);
  };
  const write = term.read.at.map((index, axis): IndexExpression => {
    const extent = axes[axis] ?? 0;
    const inside = doubtful.length === 0 ? index : wrapFetches(index, scope);
    const place = { value: inside, extent };
    const value = tighten(withoutExact(inside), scope);
    if (!isProven(place, scope)) {
      conditions.push(conditionExpression(place, scope));
      if (typeof extent === 'string') return sweep(axis, value);
    }
    const kept = isInside(value, extent, scope.extents, tensors)
      ? value
      : tighten(remainderIndex(value, Number(extent)), scope);
    const plain = isPlainIndex(kept);
    // the index of a step is written once: on the axis that counts the steps
    const isStep =
      stepAxis !== undefined && axis !== stepAxis && plain === isPlainIndex(term.read.at[stepAxis] ?? kept);
    const isWhole = plain === undefined || scope.extents.get(plain) === extent;
    return isWhole && !isStep ? kept : sweep(axis, kept);
  });

  const wrapped = (expression: Expression): Expression =>
    mapIndices(expression, (index) => wrapFetches(index, scope));
  const indices = inWriteOrder([...term.indices, ...swept], write);
  const isPlain =
    indices.length === write.length &&
    write.every((index, axis) => {
      const name = indices[axis]?.name;
      return name !== undefined && equalIndices(index, indexOf(name));
    });
  return {
    indices,
    write,
    combine: isPlain ? 'assign' : 'sum',
    body:
      doubtful.length === 0
        ? guarded(conditions, cotangentAt(cotangent, term.write), term.factor)
        : guarded(
            conditions,
            securedExpression(wrapped(cotangentAt(cotangent, term.write)), scope),
            securedExpression(wrapped(term.factor), scope),
          ),
  };
}

/** Elements of integer tensors read at places inside: where they would not be, a condition makes the whole 0. */
function wrapFetches(index: IndexExpression, { extents, tensors }: Scope): IndexExpression {
  return mapAtoms(index, (atom) => {
    if (atom.kind !== 'fetch') return undefined;
    const axes = tensors.get(atom.tensor)?.axes ?? [];
    const at = atom.at.map((place, axis) => {
      const extent = axes[axis] ?? 0;
      const isCertain = isInside(place, extent, extents, tensors);
      return isCertain || typeof extent === 'string' ? place : remainderIndex(place, extent);
    });
    return fetchIndex(atom.tensor, at);
  });
}

/** The indices that a write uses, in the order of its axes, then the others. */
function inWriteOrder(indices: readonly LoopIndex[], write: readonly IndexExpression[]): LoopIndex[] {
  const order = [...new Set(write.flatMap((index) => [...indexNames(index)]))];
  const rank = ({ name }: LoopIndex): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return indices.toSorted((left, right) => rank(left) - rank(right));
}
