/**
 * The user's arrays: how many rows they have, whether they are fit to be used, and how rows reach a batch. All of it
 * runs at every step, so that nothing here makes an object unless something is wrong.
 */
import { DataError } from './errors.ts';
import type { Port, PredictingProgram } from './types.ts';

/** What is accepted for real-valued data: flat, row by row. */
export type RealData = Float32Array | Float64Array | Uint8Array | readonly number[];
/** What is accepted for integers. */
export type IntegerData =
  Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array | readonly number[];
export type Data = Readonly<Record<string, RealData | IntegerData>>;

/** Elements of one row (of a batched port), or of the whole. */
export function sizeOf(port: Port): number {
  let size = 1;
  for (const axis of port.shape) size *= axis;
  return size;
}

function describe(port: Port, what = 'input'): string {
  const shape = [...(port.batched ? ['rows'] : []), ...port.shape].join(', ');
  return `${what} '${port.name}' [${shape}]`;
}

/**
 * Checks all of the data before any of it is used: every input there that has no default, no other, lengths that agree on one number of
 * rows, no NaN and no infinity, integers whole and in range.
 * @param what the ports are called in messages
 * @returns the number of rows (1 where no input has a batch axis)
 * @throws DataError
 */
export function checkData(
  ports: readonly Port[],
  data: Readonly<Record<string, ArrayLike<number>>>,
  what: 'input' | 'parameter' | 'state' = 'input',
): number {
  const isObject = typeof data === 'object' && data !== null;
  if (!isObject || Symbol.iterator in data || Symbol.asyncIterator in data) {
    const found = isObject ? 'an iterable' : nameOfType(data);
    throw new DataError(`data must be an object with an array for each ${what}, found ${found}`);
  }
  let rows: number | undefined;
  let first: Port | undefined;
  for (const port of ports) {
    const values = data[port.name];
    if (values === undefined) {
      if (port.default !== undefined) continue;
      throw new DataError(`${describe(port, what)} is missing`);
    }
    const size = sizeOf(port);
    if (!isArrayLike(values)) {
      throw new DataError(`${describe(port, what)} must be an array of numbers, found ${nameOfType(values)}`);
    }
    if (!port.batched) {
      if (values.length !== size) {
        throw new DataError(`${describe(port, what)} needs ${size} values, found ${values.length}`);
      }
    } else {
      if (values.length % size !== 0 || values.length === 0) {
        throw new DataError(
          `${describe(port, what)} needs a multiple of ${size} values, at least one row; found ${values.length}`,
        );
      }
      const own = values.length / size;
      if (rows === undefined) {
        rows = own;
        first = port;
      } else if (rows !== own) {
        throw new DataError(
          `${describe(port, what)} has ${own} rows, but input '${first!.name}' has ${rows}`,
        );
      }
    }
    checkValues(port, values, size, what);
  }
  for (const name in data) {
    if (!ports.some((port) => port.name === name)) {
      const names = ports.map((port) => `'${port.name}'`).join(', ');
      throw new DataError(`there is no ${what} '${name}'; the model has ${names}`);
    }
  }
  if (rows === undefined && ports.some(({ batched }) => batched)) {
    throw new DataError('nothing says how many rows there are: every input that has rows was left out');
  }
  return rows ?? 1;
}

/** Whether a value from outside has numbers to be read by index. */
export function isArrayLike(values: unknown): values is ArrayLike<number> {
  return (
    typeof values === 'object' &&
    values !== null &&
    typeof (values as { length?: unknown }).length === 'number'
  );
}

export function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value;
}

function place(port: Port, size: number, i: number): string {
  return port.batched ? `row ${Math.floor(i / size)}, element ${i % size}` : `element ${i}`;
}

function checkValues(port: Port, values: ArrayLike<number>, size: number, what: string): void {
  if (port.element === 'real') {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) {
        const found = typeof value === 'number' ? String(value) : `not a number but ${nameOfType(value)}`;
        throw new DataError(`${describe(port, what)} is ${found} at ${place(port, size, i)}`);
      }
    }
    return;
  }
  const { least = -2147483648, greatest = 2147483647 } = port;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isInteger(value) || value < least || value > greatest) {
      throw new DataError(
        `${describe(port, what)} must hold whole numbers from ${least} to ${greatest}; found ${value} at ${place(port, size, i)}`,
      );
    }
  }
}

/** The rows from .. to-1 of checked data, as views where that is possible. */
export function sliceRows(ports: readonly Port[], data: Data, from: number, to: number): Data {
  const part: Record<string, RealData | IntegerData> = {};
  for (const port of ports) {
    const values = data[port.name];
    if (values === undefined) continue;
    const [start, end] = [from * sizeOf(port), to * sizeOf(port)];
    if (!port.batched) part[port.name] = values;
    else if ('subarray' in values) part[port.name] = values.subarray(start, end);
    else part[port.name] = Array.from(values).slice(start, end);
  }
  return part;
}

/** Copies the rows order[from .. from+rows-1] of checked data into the program's input arrays. */
export function stageRows(
  program: Pick<PredictingProgram, 'inputs'>,
  ports: readonly Port[],
  data: Data,
  order: Uint32Array | undefined,
  from: number,
  rows: number,
): void {
  for (const port of ports) {
    const target = program.inputs[port.name]!;
    const values = data[port.name];
    const size = sizeOf(port);
    if (values === undefined) {
      target.fill(port.default!, 0, port.batched ? rows * size : size);
      continue;
    }
    if (!port.batched) {
      for (let i = 0; i < size; i++) target[i] = values[i]!;
      continue;
    }
    for (let row = 0; row < rows; row++) {
      const source = (order === undefined ? from + row : order[from + row]!) * size;
      const start = row * size;
      for (let i = 0; i < size; i++) target[start + i] = values[source + i]!;
    }
  }
}
