/**
 * Data as plain objects of flat arrays, row after row: `{ x: Float32Array, label: Int32Array }`. How many rows there are, or
 * the model's inputs, says how long a row of each array is.
 */
import { DataError } from '../errors.ts';
import { isArrayLike, nameOfType, sizeOf } from '../ports.ts';
import type { Port } from '../types.ts';

/** One array of a dataset. */
export type NumberArray =
  Float32Array | Float64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

export type Dataset = Readonly<Record<string, NumberArray>>;

/**
 * Which rows a dataset has: their number, or the inputs of the model (`trainer.description.inputs`). With inputs, an array
 * without a batch axis has no rows and stays as it is.
 */
export type Rows = number | readonly Port[];

/** A dataset measured: its rows, and how many elements a row of each array has (undefined: it has no rows). */
export interface Layout {
  readonly rows: number;
  readonly sizes: ReadonlyMap<string, number | undefined>;
}

/** @throws DataError where an array does not divide into the rows, or the arrays disagree */
export function layoutOf(data: Dataset, rows: Rows): Layout {
  const sizes = new Map<string, number | undefined>();
  const counts: { readonly name: string; readonly rows: number }[] = [];
  if (typeof rows === 'number' && (!Number.isInteger(rows) || rows < 0))
    throw new DataError(`the number of rows must be a whole number, found ${rows}`);
  for (const [name, values] of Object.entries(data)) {
    if (!isArrayLike(values))
      throw new DataError(`'${name}' must be an array of numbers, found ${nameOfType(values)}`);
    const size = typeof rows === 'number' ? sizeByCount(name, values.length, rows) : sizeByPort(name, rows);
    sizes.set(name, size);
    if (size === undefined) continue;
    if (values.length % size !== 0)
      throw new DataError(`'${name}' needs ${size} values a row; ${values.length} is no multiple of that`);
    counts.push({ name, rows: values.length / size });
  }
  const first = counts[0];
  for (const { name, rows } of counts) {
    if (rows !== first!.rows)
      throw new DataError(`'${name}' has ${rows} rows, but '${first!.name}' has ${first!.rows}`);
  }
  return { rows: first?.rows ?? 0, sizes };
}

function sizeByCount(name: string, length: number, rows: number): number {
  if (rows === 0 ? length > 0 : length % rows !== 0 || length === 0)
    throw new DataError(`'${name}' has ${length} values, which do not divide into ${rows} rows`);
  return rows === 0 ? 1 : length / rows;
}

function sizeByPort(name: string, ports: readonly Port[]): number | undefined {
  const port = ports.find((port) => port.name === name);
  if (port === undefined) {
    const names = ports.map((port) => `'${port.name}'`).join(', ');
    throw new DataError(`there is no input '${name}'; the model's inputs are ${names}`);
  }
  return port.batched ? sizeOf(port) : undefined;
}

/**
 * The rows `order[0]`, `order[1]`, ... of every array, in new arrays of the same types. A row may be taken more than once.
 * @throws DataError where there is no such row
 */
export function takeRows<Data extends Dataset>(data: Data, rows: Rows, order: ArrayLike<number>): Data {
  const layout = layoutOf(data, rows);
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    if (!Number.isInteger(row) || row < 0 || row >= layout.rows)
      throw new DataError(`there is no row ${row}; the data have ${layout.rows} rows`);
  }
  return takeKnownRows(data, layout, order);
}

/** The same where every row is known to be there. */
export function takeKnownRows<Data extends Dataset>(
  data: Data,
  { sizes }: Layout,
  order: ArrayLike<number>,
): Data {
  const taken: Record<string, NumberArray> = {};
  for (const [name, values] of Object.entries(data)) {
    const size = sizes.get(name);
    taken[name] = size === undefined ? values : gather(values, size, order);
  }
  return taken as Data; // the same names, the same type of array under each
}

function gather(values: NumberArray, size: number, order: ArrayLike<number>): NumberArray {
  const result = emptyLike(values, order.length * size);
  for (let row = 0; row < order.length; row++) {
    const source = order[row]! * size;
    for (let i = 0; i < size; i++) result[row * size + i] = values[source + i]!;
  }
  return result;
}

/** A new array of the same type, filled with 0. */
export function emptyLike<Values extends NumberArray>(values: Values, length: number): Values {
  return new (values.constructor as new (length: number) => Values)(length);
}
