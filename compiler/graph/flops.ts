/** Operations on real numbers: what a statement costs, as a polynomial in the batch. */
import { postorder } from './expressions.ts';
import { expandCalls } from './own-functions.ts';
import type { Combine, Expression, LoopIndex, Statement } from './types.ts';

/** What it takes to join one more value. */
const joining: Readonly<Record<Combine, number>> = {
  assign: 0,
  sum: 1,
  product: 1,
  max: 1,
  min: 1,
  logsumexp: 2,
  argmax: 1,
  argmin: 1,
};

/**
 * Sums, products, comparisons, choices and functions, each counted as one: of a matrix product two for every pair of factors.
 * Computing with indices is not counted; reads outside a tensor, which the loops leave out, are.
 * @returns by power of the batch
 */
export function flopsOf(statements: readonly Statement[]): number[] {
  const total: number[] = [];
  const add = (indices: readonly LoopIndex[], each: number): void => {
    const power = indices.filter(({ extent }) => typeof extent === 'string').length;
    const points = indices.reduce((all, { extent }) => (typeof extent === 'number' ? all * extent : all), 1);
    while (total.length <= power) total.push(0);
    total[power]! += points * each;
  };
  for (const { indices, write, combine, body, finish } of statements) {
    add(indices, operations(body) + joining[combine]);
    if (finish !== undefined) add(indices.slice(0, write.length), operations(finish));
  }
  while (total.at(-1) === 0) total.pop();
  return total;
}

function operations(root: Expression): number {
  return postorder(expandCalls(root)).filter(
    (node) =>
      node.kind === 'binary' ||
      node.kind === 'select' ||
      (node.kind === 'unary' && node.operator !== 'stop_gradient'),
  ).length;
}
