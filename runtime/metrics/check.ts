/** What every metric asks of its arguments. */
import { DataError } from '../errors.ts';

/** Predictions and truth, one value a row. @throws DataError where they differ in length, or are empty, or not finite */
export function checkPairs(predicted: ArrayLike<number>, truth: ArrayLike<number>): void {
  if (predicted.length !== truth.length)
    throw new DataError(`there are ${predicted.length} predictions, but ${truth.length} true values`);
  checkFinite(predicted, 'the prediction');
  checkFinite(truth, 'the true value');
}

/** @throws DataError that names the row */
export function checkFinite(values: ArrayLike<number>, what: string, columns = 1): void {
  if (values.length === 0) throw new DataError('a metric needs at least one row');
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new DataError(`${what} is ${values[i]} at ${placeOf(i, columns)}`);
  }
}

export function placeOf(i: number, columns: number): string {
  return columns === 1 ? `row ${i}` : `row ${Math.floor(i / columns)}, column ${i % columns}`;
}

/** Classes as whole numbers from 0 (below `classes`, if it is given). @returns the greatest, plus 1. @throws DataError */
export function checkClasses(values: ArrayLike<number>, what: string, classes?: number): number {
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (!Number.isInteger(value) || value < 0 || (classes !== undefined && value >= classes)) {
      const range = classes === undefined ? 'from 0' : `from 0 to ${classes - 1}`;
      const hint = what === 'the prediction' ? '; make them of scores by argmax or threshold' : '';
      throw new DataError(
        `classes must be whole numbers ${range}, but ${what} is ${value} at row ${row}${hint}`,
      );
    }
    count = Math.max(count, value + 1);
  }
  return count;
}

/** Scores [rows, classes] for the true classes. @returns the number of classes. @throws DataError */
export function checkScores(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  checkFinite(truth, 'the true value');
  const classes = scores.length / truth.length;
  if (!Number.isInteger(classes) || classes < 2)
    throw new DataError(
      `${scores.length} scores are not a row of at least 2 for each of ${truth.length} true values`,
    );
  checkFinite(scores, 'the score', classes);
  checkClasses(truth, 'the true value', classes);
  return classes;
}

/** True values 0 or 1, with one score each. @throws DataError */
export function checkBinary(scores: ArrayLike<number>, truth: ArrayLike<number>): void {
  checkPairs(scores, truth);
  checkClasses(truth, 'the true value', 2);
}
