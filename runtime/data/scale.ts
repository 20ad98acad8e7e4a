/** Columns brought to a common scale, fitted on one part of the data (that which trains) and applied to any. */
import { DataError } from '../errors.ts';

/** What is kept of a scaler: `JSON.stringify(scaler)` writes it, `loadScaler` reads it. */
export interface ScalerValues {
  /** One value a column. */
  readonly shift: readonly number[];
  readonly scale: readonly number[];
}

/** The map (x - shift) / scale of every column. */
export class Scaler implements ScalerValues {
  readonly shift: readonly number[];
  readonly scale: readonly number[];

  constructor({ shift, scale }: ScalerValues) {
    this.shift = shift;
    this.scale = scale;
  }

  /**
   * The scaled values, in a new array (float64 where they are float64).
   * @throws DataError where they do not divide into rows of these columns
   */
  apply(values: Float64Array): Float64Array;
  apply(values: ArrayLike<number>): Float32Array;
  apply(values: ArrayLike<number>): Float32Array | Float64Array {
    return this.map(values, (value, column) => (value - this.shift[column]!) / this.scale[column]!);
  }

  /** The way back, as a prediction of a scaled target needs it. @throws DataError */
  invert(values: Float64Array): Float64Array;
  invert(values: ArrayLike<number>): Float32Array;
  invert(values: ArrayLike<number>): Float32Array | Float64Array {
    return this.map(values, (value, column) => value * this.scale[column]! + this.shift[column]!);
  }

  private map(
    values: ArrayLike<number>,
    change: (value: number, column: number) => number,
  ): Float32Array | Float64Array {
    const columns = this.shift.length;
    checkTable(values, columns);
    const result =
      values instanceof Float64Array ? new Float64Array(values.length) : new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) result[i] = change(values[i]!, i % columns);
    return result;
  }
}

/**
 * Mean 0 and standard deviation 1 (of the population, over n) of every column, on the values that are given here. A constant
 * column becomes 0. The same as scikit-learn's StandardScaler.
 * @throws DataError where there is no row, or a value is not finite
 */
export function fitStandardiser(values: ArrayLike<number>, columns = 1): Scaler {
  const rows = checkTable(values, columns, true);
  const shift = Array.from({ length: columns }, () => 0);
  const scale = Array.from({ length: columns }, () => 0);
  for (let i = 0; i < values.length; i++) shift[i % columns]! += values[i]! / rows;
  for (let i = 0; i < values.length; i++)
    scale[i % columns]! += (values[i]! - shift[i % columns]!) ** 2 / rows;
  const least = (column: number): number => 1e-12 * Math.abs(shift[column]!); // of rounding alone
  return new Scaler({
    shift,
    scale: scale.map((variance, column) => (Math.sqrt(variance) > least(column) ? Math.sqrt(variance) : 1)),
  });
}

/**
 * Every column from its least and greatest value onto `low` .. `high` (0 .. 1). A constant column becomes `low`.
 * @throws DataError where there is no row, or a value is not finite
 */
export function fitMinMax(
  values: ArrayLike<number>,
  columns = 1,
  { low = 0, high = 1 }: { readonly low?: number; readonly high?: number } = {},
): Scaler {
  if (!(low < high)) throw new DataError(`low must be less than high, found ${low} and ${high}`);
  checkTable(values, columns, true);
  const least = Array.from({ length: columns }, () => Infinity);
  const greatest = Array.from({ length: columns }, () => -Infinity);
  for (let i = 0; i < values.length; i++) {
    const column = i % columns;
    least[column] = Math.min(least[column]!, values[i]!);
    greatest[column] = Math.max(greatest[column]!, values[i]!);
  }
  const scale = least.map((value, column) => (greatest[column]! - value || 1) / (high - low));
  return new Scaler({ shift: least.map((value, column) => value - low * scale[column]!), scale });
}

/** A scaler from what JSON has kept of it. @throws DataError where it is something else */
export function loadScaler(kept: unknown): Scaler {
  const { shift, scale } = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>;
  const finite = (list: unknown): list is number[] => Array.isArray(list) && list.every(Number.isFinite);
  if (
    !finite(shift) ||
    !finite(scale) ||
    shift.length !== scale.length ||
    scale.includes(0) ||
    shift.length === 0
  )
    throw new DataError(
      'a scaler is an object with two lists of numbers of one length, shift and scale (not 0)',
    );
  return new Scaler({ shift, scale });
}

/** @returns the rows. @throws DataError */
function checkTable(values: ArrayLike<number>, columns: number, fit = false): number {
  if (!Number.isInteger(columns) || columns < 1)
    throw new DataError(`the number of columns must be a whole number from 1, found ${columns}`);
  if (values.length % columns !== 0)
    throw new DataError(`${values.length} values do not divide into rows of ${columns} columns`);
  if (!fit) return values.length / columns;
  if (values.length === 0) throw new DataError('there is no row to fit a scale to');
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new DataError(
        `row ${Math.floor(i / columns)}, column ${i % columns} is ${values[i]}: no scale can be fitted`,
      );
  }
  return values.length / columns;
}

/**
 * Labels 0 .. classes-1 as rows of 0 with a single 1, [n, classes].
 * @throws DataError that names the row of a label out of range
 */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const result = new Float32Array(labels.length * classes);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new DataError(
        `labels must be whole numbers from 0 to ${classes - 1}; found ${label} at row ${row}`,
      );
    result[row * classes + label] = 1;
  }
  return result;
}
