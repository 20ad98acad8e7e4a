/** Laws of sums: what no reduced index moves comes out, and a sum that picks one term is that term. */
import { countOf } from '../graph/builder.ts';
import {
  accumulated,
  constantIndex,
  extentsOf,
  fetchIndex,
  freeIndices,
  indexNames,
  isConstant,
  isInside,
  isPlainIndex,
  multiply,
  reducedIndices,
  replaceAccumulated,
  substituteIndices,
} from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, LoopIndex, Statement, Tensor } from '../graph/types.ts';
import { isInvariant } from './definitions.ts';
import type { Definitions } from './definitions.ts';
import { factorsOf, productOf, quotientOf } from './terms.ts';

/** A whole number as an index expression: an index value, an integer constant, an element of an integer tensor. */
export function indexOfNumber(
  node: Expression,
  tensors: ReadonlyMap<string, Tensor>,
): IndexExpression | undefined {
  if (node.kind === 'index_value') return node.index;
  if (node.kind === 'constant')
    return Number.isSafeInteger(node.value) ? constantIndex(node.value) : undefined;
  if (node.kind !== 'read' || node.outside !== undefined) return undefined;
  return tensors.get(node.tensor)?.element === 'integer' ? fetchIndex(node.tensor, node.at) : undefined;
}

export type SumLaw = (
  statement: Statement,
  tensors: ReadonlyMap<string, Tensor>,
  definitions: Definitions,
) => Statement | undefined;

/**
 * Σ_k (k == e) f = f, where f does not depend on k, and e, which neither does, is a place in the range of k.
 * Σ_k (k == e ? f(k) : 0) = f(e) for every f: the other branch is not computed.
 */
const chooseOne: SumLaw = (statement, tensors) => {
  if (statement.combine !== 'sum') return undefined;
  const extents = extentsOf(statement.indices);
  const { body } = statement;
  if (body.kind === 'select' && isConstant(body.otherwise, 0)) {
    for (const index of reducedIndices(statement)) {
      const place = chosenPlace(body.condition, index, extents, tensors);
      if (place === undefined) continue;
      const chosen = substituteIndices(body.then, new Map([[index.name, place]]));
      return withoutIndex({ ...statement, body: chosen }, index);
    }
    return undefined;
  }
  const quotient = factorsOf(body);
  for (const index of reducedIndices(statement)) {
    const place = quotient.numerator.findIndex(
      (factor) => chosenPlace(factor, index, extents, tensors) !== undefined,
    );
    if (place < 0) continue;
    const numerator = quotient.numerator.toSpliced(place, 1);
    const rest = [...numerator, ...quotient.denominator];
    if (rest.some((factor) => freeIndices(factor).has(index.name))) continue;
    return withoutIndex({ ...statement, body: quotientOf({ ...quotient, numerator }) }, index);
  }
  return undefined;
};

/** e, if the factor is k == e with e inside the range of k. */
function chosenPlace(
  factor: Expression,
  index: LoopIndex,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): IndexExpression | undefined {
  if (factor.kind !== 'binary' || factor.operator !== 'equal') return undefined;
  const left = indexOfNumber(factor.left, tensors);
  const right = indexOfNumber(factor.right, tensors);
  if (left === undefined || right === undefined) return undefined;
  const chosen =
    isPlainIndex(left) === index.name ? right : isPlainIndex(right) === index.name ? left : undefined;
  if (chosen === undefined || indexNames(chosen).has(index.name)) return undefined;
  return isInside(chosen, index.extent, extents, tensors) ? chosen : undefined;
}

/** Σ_k f = extent(k) · f,  max_k f = f, where f does not depend on k. */
export const countUnused = (statement: Statement): Statement | undefined => {
  const { combine, body } = statement;
  if (combine !== 'sum' && combine !== 'max' && combine !== 'min') return undefined;
  const used = freeIndices(body);
  const index = reducedIndices(statement).find(({ name, extent }) => !used.has(name) && extent !== 0);
  if (index === undefined) return undefined;
  const counted = combine === 'sum' ? multiply(countOf([index]), body) : body;
  return withoutIndex({ ...statement, body: counted }, index);
};

/** Σ_k c · f = c · Σ_k f, where c does not depend on k: once per sum instead of once per term. */
export const takeOut: SumLaw = (statement) => {
  if (statement.combine !== 'sum' || reducedIndices(statement).length === 0) return undefined;
  const { sign, numerator, denominator } = factorsOf(statement.body);
  const moves = (factor: Expression): boolean => isInvariant(factor, statement);
  const above = numerator.filter(moves);
  const below = denominator.filter(moves);
  if (sign === 1 && above.length + below.length === 0) return undefined;
  const rest = {
    sign: 1,
    numerator: numerator.filter((factor) => !moves(factor)),
    denominator: denominator.filter((factor) => !moves(factor)),
  } as const;
  const product = productOf([...above, accumulated]);
  const scaled = quotientOf({
    sign,
    numerator: [product],
    denominator: below,
  });
  return {
    ...statement,
    body: quotientOf(rest),
    finish: statement.finish ? replaceAccumulated(statement.finish, scaled) : scaled,
  };
};

export const sumLaws: readonly SumLaw[] = [chooseOne, countUnused];

/** The statement without one reduced index; when none is left, an assignment. */
function withoutIndex(statement: Statement, index: LoopIndex): Statement {
  const indices = statement.indices.filter(({ name }) => name !== index.name);
  const left = { ...statement, indices };
  if (reducedIndices(left).length > 0) return left;
  const { finish, ...rest } = left;
  const body = finish ? replaceAccumulated(finish, left.body) : left.body;
  return { ...rest, combine: 'assign', body };
}
