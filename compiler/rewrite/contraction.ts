/** What makes a sum a contraction: products of operands that are used again along indices they do not have. */
import { freeIndices, reads, reducedIndices } from '../graph/expressions.ts';
import type { Expression, Statement } from '../graph/types.ts';
import { factorsOf } from './terms.ts';

/** The factors above the line that depend on some index of the statement. */
function operandsOf(statement: Statement): Expression[] {
  return factorsOf(statement.body).numerator.filter((factor) => freeIndices(factor).size > 0);
}

/**
 * True for a sum of products in which two factors read tensors, share a reduced index, and one of them lacks a written
 * index that another one has: it is used again along it, as in a matrix product or a convolution.
 */
export function isContraction(statement: Statement): boolean {
  if (statement.combine !== 'sum') return false;
  const reduced = reducedIndices(statement).map(({ name }) => name);
  if (reduced.length === 0) return false;
  const operands = operandsOf(statement).filter((factor) => reads(factor).length > 0);
  const sets = operands.map((factor) => freeIndices(factor));
  const sharing = sets.filter((names) => reduced.some((name) => names.has(name)));
  if (sharing.length < 2) return false;
  const all = new Set(sharing.flatMap((names) => [...names]));
  const reducedSet = new Set(reduced);
  return sharing.some((names) => [...all].some((name) => !reducedSet.has(name) && !names.has(name)));
}
