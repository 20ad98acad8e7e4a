/**
 * The work of a step, as the emitted module counts it.
 */
import type { ModelDescription } from '../runtime/index.ts';
import type { Polynomial } from '../runtime/types.ts';

const at = (polynomial: Polynomial, rows: number): number =>
  polynomial.reduce((sum, coefficient, power) => sum + coefficient * rows ** power, 0);

/** Operations on real numbers of a step, forward and backward; those of the optimizer are not counted. */
export function operations({ layers, work }: ModelDescription, rows: number): number {
  const forward = layers.reduce((sum, { flops }) => sum + at(flops, rows), 0);
  return forward + at(work.backward ?? [], rows);
}
