/**
 * The inverted form of a contribution: dA[a] = Σ over the indices that remain of dT[α(L)] · factor(L), where L is solved from
 * a = β(L). It is a gather: each element is written once, and a matrix product's adjoint is a matrix product.
 *
 * (a) an index with coefficient ±1 is substituted;                      x[i + u]    i = a - u
 * (b) an index with coefficient s becomes an exact quotient;            x[2i + u]   i = (a - u) / 2
 * (c) repeated, rank-deficient or data-dependent places have no such form: undefined, see scatter.ts.
 *
 * A solved index may leave its range. Where the cotangent is read at just that index, the read is 0 outside; else a
 * select tests the range; where interval arithmetic proves it inside there is neither.
 */
import {
  extentsOf,
  foldExpression,
  freshName,
  indexNames,
  indexOf,
  indicesIn,
  isPlainIndex,
  rangeOf,
  substituteIndices,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, LoopIndex } from '../graph/types.ts';
import {
  conditionExpression,
  cotangentAt,
  fetchesInside,
  guarded,
  isAbsorbed,
  isProven,
  secured,
  securedExpression,
  tighten,
  type Condition,
  type Contribution,
  type ContributionContext,
  type Scope,
} from './contribution.ts';
import type { Term } from './differential.ts';
import { joinDigits, splitDigits } from './digits.ts';
import { axisName, solve, type Solution } from './solve.ts';

/** The contribution of a term to the cotangent of what it reads, as a gather; undefined where there is none. */
export function invert(given: Term, context: ContributionContext): Contribution | undefined {
  const { tensors, axes } = context;
  const { term, conditions: digitConditions } = splitDigits(joinDigits(given, tensors), tensors);
  const written = new Set(
    context.cotangent === undefined ? [] : term.write.flatMap((at) => isPlainIndex(at) ?? []),
  );
  const solution = solve(term.read.at, term.indices, written);
  if (solution === undefined) return undefined;

  const remaining = term.indices.filter(({ name }) => !solution.values.has(name));
  const names = nameAxes(solution, remaining, context);
  const named = new Map(names.map((name, axis) => [axisName(axis), indexOf(name)]));
  const values = new Map(
    [...solution.values].map(([name, value]) => [name, substituteIndices(value, named)]),
  );
  const indices: LoopIndex[] = [
    ...axes.map((extent, axis) => ({ name: names[axis] ?? '', extent })),
    ...remaining,
  ];
  const scope: Scope = { extents: extentsOf([...indices, ...(context.ambient ?? [])]), tensors };
  const solved = (index: IndexExpression): IndexExpression =>
    tighten(substituteIndices(index, values), scope);

  const conditions = [...conditionsOf(term, solution), ...digitConditions]
    .map(({ value, extent }) => ({ names: indexNames(value), value: solved(value), extent }))
    .filter((condition) => !isProven(condition, scope));
  const place = term.write.map(solved);
  const factor = substituteIndices(term.factor, values);
  if (!fetchesInside([...place, ...indicesIn(factor)], scope)) return undefined;

  const doubtful = new Set(conditions.flatMap((condition) => [...condition.names]));
  const placeAxes = context.cotangent === undefined ? [] : (tensors.get(context.cotangent)?.axes ?? []);
  const tested = isFiniteBeyond(term.factor, doubtful)
    ? conditions.filter((condition) => !isAbsorbed(condition, place, placeAxes))
    : conditions;
  const cotangent = cotangentAt(context.cotangent, place);
  return {
    indices,
    write: names.map((name) => indexOf(name)),
    combine: remaining.length > 0 ? 'sum' : 'assign',
    body: guarded(
      tested.map((condition) => conditionExpression(condition, scope)),
      cotangent.kind === 'read' ? secured(cotangent, scope) : cotangent,
      securedExpression(factor, scope),
    ),
  };
}

/** Each eliminated index must be in its range. */
function conditionsOf(term: Term, { values }: Solution): Condition[] {
  return term.indices
    .filter(({ name }) => values.has(name))
    .map(({ name, extent }) => ({ value: indexOf(name), extent }));
}

/** The names of the axes of dA: those that A was defined with, else that of the index eliminated by the axis. */
function nameAxes(
  solution: Solution,
  remaining: readonly LoopIndex[],
  context: ContributionContext,
): string[] {
  const taken = new Set(remaining.map((index) => index.name));
  return context.axes.map((_, axis) => {
    const preferred = context.preferred[axis];
    const own = solution.eliminated[axis] ?? 'i';
    const name = preferred !== undefined && !taken.has(preferred) ? preferred : freshName(own, taken);
    taken.add(name);
    return name;
  });
}

/**
 * True if the factor stays finite where the doubtful indices leave their range and reads give their value for outside:
 * then 0 · factor is 0 there. An exponential or a quotient of something else than the data might not.
 */
function isFiniteBeyond(factor: Expression, doubtful: ReadonlySet<string>): boolean {
  const isDoubtful = (index: IndexExpression): boolean =>
    [...indexNames(index)].some((name) => doubtful.has(name));
  let isFinite = true;
  foldExpression<boolean>(factor, (node, operands) => {
    if (node.kind === 'index_value') return isDoubtful(node.index);
    if (node.kind === 'read') {
      const depends = node.at.some(isDoubtful);
      if (depends && !Number.isFinite(node.outside ?? 0)) isFinite = false;
      return depends;
    }
    const depends = operands.includes(true);
    if (depends && rangeOf(node) === 'any') isFinite = false;
    return depends;
  });
  return isFinite;
}
