/** Reading the examples' data. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import Papa from 'papaparse';

/** The bytes of an IDX file (the format of MNIST), gzipped: element by element, the last axis fastest. */
export function readIdx(path: URL): Uint8Array {
  const bytes = gunzipSync(readFileSync(path));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const axes = bytes[3] ?? 0;
  if (view.getUint16(0) !== 0 || bytes[2] !== 8)
    throw new Error(`${path.pathname} is not an IDX file of bytes`);
  let count = 1;
  for (let axis = 0; axis < axes; axis++) count *= view.getUint32(4 + 4 * axis);
  const data = bytes.subarray(4 + 4 * axes);
  if (data.length !== count)
    throw new Error(`${path.pathname} should hold ${count} values, found ${data.length}`);
  return data;
}

export interface Table {
  readonly rows: number;
  readonly columns: number;
  /** Row by row. */
  readonly features: Float32Array;
  /** The last column; words are numbered in the order of their first appearance. */
  readonly target: Float32Array;
}

/** A CSV file with a header line: numbers, and in the last column the target (numbers or words). */
export function readTable(path: URL): Table {
  const parsed = Papa.parse<Record<string, number | string>>(readFileSync(path, 'utf8'), {
    header: true,
    dynamicTyping: true,
    skipEmptyLines: true,
  });
  if (parsed.errors.length > 0) throw new Error(`${path.pathname}: ${parsed.errors[0]!.message}`);
  const rows = parsed.data.map((row) => Object.values(row));
  const columns = (parsed.meta.fields?.length ?? 0) - 1;
  const classes = [...new Set(rows.map((row) => row[columns]))];
  const number = (value: string | number | undefined): number =>
    typeof value === 'number' ? value : classes.indexOf(value);
  return {
    rows: rows.length,
    columns,
    features: Float32Array.from(rows.flatMap((row) => row.slice(0, columns).map(Number))),
    target: Float32Array.from(rows.map((row) => number(row[columns]))),
  };
}

/** Each column of the rows minus its mean, over its standard deviation: both taken from the first `fitted` rows. */
export function standardise(values: Float32Array, columns: number, fitted: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let column = 0; column < columns; column++) {
    let mean = 0;
    let square = 0;
    for (let row = 0; row < fitted; row++) mean += values[row * columns + column]! / fitted;
    for (let row = 0; row < fitted; row++) square += (values[row * columns + column]! - mean) ** 2 / fitted;
    const deviation = Math.sqrt(square) || 1;
    for (let i = column; i < values.length; i += columns) result[i] = (values[i]! - mean) / deviation;
  }
  return result;
}

/** The rows `order[from .. to-1]` of a row-by-row array. */
export function takeRows(
  values: Float32Array,
  columns: number,
  order: ArrayLike<number>,
  from: number,
  to: number,
): Float32Array {
  const result = new Float32Array((to - from) * columns);
  for (let row = from; row < to; row++) {
    const start = order[row]! * columns;
    result.set(values.subarray(start, start + columns), (row - from) * columns);
  }
  return result;
}
