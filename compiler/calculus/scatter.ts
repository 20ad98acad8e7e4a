/**
 * The last rung of the ladder: dA[β(L)] += dT[α(L)] · factor(L), a scatter. It is right for every map β, repeated,
 * rank-deficient or data-dependent, and hence what the tests hold the inverted form against.
 */
import {
  binary,
  equalIndices,
  extentsOf,
  freshName,
  indexNames,
  indexOf,
  indexValue,
  isInside,
  isPlainIndex,
  remainderIndex,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, LoopIndex } from '../graph/types.ts';
import {
  conditionExpression,
  cotangentAt,
  guarded,
  isProven,
  tighten,
  withoutExact,
  type Contribution,
  type ContributionContext,
  type Scope,
} from './contribution.ts';
import type { Term } from './differential.ts';

/** The contribution of a term to the cotangent of what it reads, as a scatter. */
export function scatter(term: Term, context: ContributionContext): Contribution {
  const { tensors, cotangent, axes, preferred } = context;
  const scope: Scope = { extents: extentsOf(term.indices), tensors };
  const conditions: Expression[] = [];
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
    const place = { value: index, extent };
    const value = tighten(withoutExact(index), scope);
    if (!isProven(place, scope)) {
      conditions.push(conditionExpression(place, scope));
      if (typeof extent === 'string') return sweep(axis, value);
    }
    const kept = isInside(value, extent, scope.extents, tensors)
      ? value
      : tighten(remainderIndex(value, Number(extent)), scope);
    const plain = isPlainIndex(kept);
    return plain === undefined || scope.extents.get(plain) === extent ? kept : sweep(axis, kept);
  });

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
    body: guarded(conditions, cotangentAt(cotangent, term.write), term.factor),
  };
}

/** The indices that a write uses, in the order of its axes, then the others. */
function inWriteOrder(indices: readonly LoopIndex[], write: readonly IndexExpression[]): LoopIndex[] {
  const order = [...new Set(write.flatMap((index) => [...indexNames(index)]))];
  const rank = ({ name }: LoopIndex): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return indices.toSorted((left, right) => rank(left) - rank(right));
}
