/**
 * Sums in which a condition leaves one term are that term:
 *
 *     sum[k]((k == label[n]) * z[n, k])  =  z[n, label[n]]        where label is always one of the places of k
 *
 * So is what a cross-entropy takes from the scores of a row. Done after differentiation: the derivative of the sum is the
 * mask itself, `k == label[n]`, at every place, and needs no scatter.
 */
import { withStatements } from '../graph/builder.ts';
import {
  accumulated,
  constant,
  fetchIndex,
  isPlainIndex,
  isScatter,
  reducedIndices,
  replaceAccumulated,
  substituteIndices,
} from '../graph/expressions.ts';
import { indexNames } from '../graph/index-expressions.ts';
import type { Expression, IndexExpression, LoopIndex, Program, Statement, Tensor } from '../graph/types.ts';
import { factorsOf, quotientOf } from './terms.ts';

type Tensors = ReadonlyMap<string, Tensor>;

export function pickTerms(program: Program): Program {
  const statements = program.statements.map((statement) => {
    let current = statement;
    for (
      let next = picked(current, program.tensors);
      next !== undefined;
      next = picked(current, program.tensors)
    )
      current = next;
    return current;
  });
  const changed = statements.some((statement, place) => statement !== program.statements[place]);
  return changed ? withStatements(program, statements) : program;
}

/** The statement without one of the indices that it sums over; undefined where no condition settles one. */
function picked(statement: Statement, tensors: Tensors): Statement | undefined {
  const { combine, body, finish, indices } = statement;
  if (combine !== 'sum' || isScatter(statement)) return undefined;
  const reduced = reducedIndices(statement);
  const found = chosen(body, reduced, statement, tensors);
  if (found === undefined) return undefined;
  const places = new Map([[found.index, found.place]]);
  const term = substituteIndices(found.term, places);
  const left = indices.filter(({ name }) => name !== found.index);
  if (reduced.length > 1) return { ...statement, indices: left, body: term };
  const { finish: _, ...rest } = statement;
  return { ...rest, indices: left, combine: 'assign', body: replaceAccumulated(finish ?? accumulated, term) };
}

interface Choice {
  readonly index: string;
  /** Where the term is that counts. */
  readonly place: IndexExpression;
  readonly term: Expression;
}

/** `(k == place) * term` or `k == place ? term : 0` */
function chosen(
  body: Expression,
  reduced: readonly LoopIndex[],
  { indices }: Statement,
  tensors: Tensors,
): Choice | undefined {
  const settle = (condition: Expression, term: () => Expression): Choice | undefined => {
    if (condition.kind !== 'binary' || condition.operator !== 'equal') return undefined;
    const sides = [condition.left, condition.right].map((side) => indexFrom(side, tensors));
    for (const [own, other] of [sides, sides.toReversed()]) {
      const loop = reduced.find(({ name }) => own !== undefined && isPlainIndex(own) === name);
      if (loop === undefined || other === undefined || indexNames(other).has(loop.name)) continue;
      if (isWithin(other, loop, indices, tensors)) return { index: loop.name, place: other, term: term() };
    }
    return undefined;
  };
  if (body.kind === 'select' && body.otherwise.kind === 'constant' && body.otherwise.value === 0) {
    const { then } = body;
    return settle(body.condition, () => then);
  }
  const { sign, numerator, denominator } = factorsOf(body);
  for (const factor of numerator) {
    const others = numerator.filter((each) => each !== factor);
    const rest = (): Expression =>
      quotientOf({ sign, numerator: others.length === 0 ? [constant(1)] : others, denominator });
    const choice = settle(factor, rest);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

/** An operand as an index: an index variable, or an element of an integer tensor. */
function indexFrom(operand: Expression, tensors: Tensors): IndexExpression | undefined {
  if (operand.kind === 'index_value') return operand.index;
  if (operand.kind !== 'read' || operand.outside !== undefined) return undefined;
  return tensors.get(operand.tensor)?.element === 'integer'
    ? fetchIndex(operand.tensor, operand.at)
    : undefined;
}

/** Is it always one of the places of the loop? An element of an integer tensor with a range, or another index. */
function isWithin(
  { terms, constant: shift }: IndexExpression,
  { extent }: LoopIndex,
  indices: readonly LoopIndex[],
  tensors: Tensors,
): boolean {
  const [term, ...others] = terms;
  if (term?.coefficient !== 1 || others.length > 0 || shift !== 0) return false;
  const { atom } = term;
  if (atom.kind === 'index') {
    const other = indices.find(({ name }) => name === atom.name);
    return other !== undefined && (other.extent === extent || isLess(other.extent, extent));
  }
  const range = atom.kind === 'fetch' ? tensors.get(atom.tensor)?.range : undefined;
  return range !== undefined && range.least >= 0 && typeof extent === 'number' && range.greatest < extent;
}

const isLess = (one: LoopIndex['extent'], other: LoopIndex['extent']): boolean =>
  typeof one === 'number' && typeof other === 'number' && one < other;
