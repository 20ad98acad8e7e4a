/** The initializer `orthogonal`: modules bring it along whose parameters begin so. */
import type { Random } from './random.ts';
import type { RealArray } from './types.ts';

/**
 * A matrix [all axes but the last, last axis] with orthonormal rows or columns, whichever are fewer, times `gain`
 * (Saxe et al. 2013): Gram-Schmidt, twice over for accuracy, on normal vectors.
 */
export function fillOrthogonal(
  gain: number,
  shape: readonly number[],
  view: RealArray,
  random: Random,
): void {
  const columns = shape.at(-1) ?? 1;
  const rows = view.length / columns;
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) {
        const projection = dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] = vector[i]! - projection * other[i]!;
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    if (norm < 1e-8) continue;
    vectors.push(vector.map((value) => value / norm));
  }
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [vector, place] = rows >= columns ? [column, row] : [row, column];
      view[row * columns + column] = gain * vectors[vector]![place]!;
    }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
