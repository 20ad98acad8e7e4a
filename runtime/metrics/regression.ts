/**
 * @file How far predicted numbers are from true ones, over a whole split. Where a row has several numbers (`columns`), a measure
 * is the mean of those of the columns, as in scikit-learn.
 */
import { DataError } from '../errors.ts';
import { checkPairs } from './check.ts';

/** Mean of |predicted - truth|. @throws DataError */
export function meanAbsoluteError(predicted: ArrayLike<number>, truth: ArrayLike<number>): number {
  checkPairs(predicted, truth);
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += Math.abs(predicted[i]! - truth[i]!);
  return sum / truth.length;
}

/** Mean of (predicted - truth)². @throws DataError */
export function meanSquaredError(predicted: ArrayLike<number>, truth: ArrayLike<number>): number {
  return meanOf(columnErrors(predicted, truth, 1));
}

/** The root of the mean squared error, of each column by itself. @throws DataError */
export function rootMeanSquaredError(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  columns = 1,
): number {
  return meanOf(columnErrors(predicted, truth, columns).map(Math.sqrt));
}

/**
 * The share of the variance that is explained, R² = 1 - mean squared error / variance of the truth. Of a truth that does not
 * vary: 1 where it is met exactly, else 0. NaN for less than two rows, of which there is no variance.
 * @throws DataError
 */
export function rSquared(predicted: ArrayLike<number>, truth: ArrayLike<number>, columns = 1): number {
  const errors = columnErrors(predicted, truth, columns);
  const rows = truth.length / columns;
  if (rows < 2) return NaN;
  const means = new Float64Array(columns);
  for (let i = 0; i < truth.length; i++) means[i % columns]! += truth[i]! / rows;
  const variances = new Float64Array(columns);
  for (let i = 0; i < truth.length; i++)
    variances[i % columns]! += (truth[i]! - means[i % columns]!) ** 2 / rows;
  return meanOf(
    errors.map((error, column) => {
      const variance = variances[column]!;
      if (variance !== 0) return 1 - error / variance;
      return error === 0 ? 1 : 0;
    }),
  );
}

/** The mean squared error of each column. */
function columnErrors(predicted: ArrayLike<number>, truth: ArrayLike<number>, columns: number): Float64Array {
  checkPairs(predicted, truth);
  if (!Number.isInteger(columns) || columns < 1 || truth.length % columns !== 0)
    throw new DataError(`${truth.length} values do not divide into rows of ${columns} columns`);
  const rows = truth.length / columns;
  const errors = new Float64Array(columns);
  for (let i = 0; i < truth.length; i++) errors[i % columns]! += (predicted[i]! - truth[i]!) ** 2 / rows;
  return errors;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
