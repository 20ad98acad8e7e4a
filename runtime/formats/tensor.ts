/** What the file formats share: tensors by name, their element types, and how both are checked. */
import { DataError } from '../errors.ts';

export type TensorData =
  Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

/** Elements row by row: the last axis is the fastest. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** Throws a DataError that names the file (and the tensor). */
export type Fail = (what: string) => never;

export function failIn(source: string): Fail {
  return (what) => {
    throw new DataError(`${source}: ${what}`);
  };
}

/** A name from a file in a message: control characters escaped, cut where it is long. */
export function quoted(name: string): string {
  const text = JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name).slice(1, -1);
  return `'${text.replaceAll('\\"', '"')}'`;
}

export function shapeText(shape: readonly number[]): string {
  return shape.length > 16 ? `[${shape.slice(0, 16).join(', ')}, ...]` : `[${shape.join(', ')}]`;
}

/** A tensor's name is any text but the few that would harm whoever uses it as a key or prints it. */
export function checkName(name: string, fail: Fail): string {
  if (name === '') fail('a tensor without a name');
  if (name === '__proto__' || [...name].some((character) => character < ' ' || character === '\u007f'))
    fail(`no tensor may have the name ${quoted(name)}`);
  return name;
}

/** The number of elements. Sizes are whole and not negative, and so is every product of them. */
export function countOf(shape: readonly unknown[], fail: Fail): number {
  let count = 1;
  let extent = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      return fail(`a shape of sizes that are no whole numbers from 0 to 2^53 - 1`);
    count *= size;
    // a zero shall not hide sizes whose product no index could reach
    extent *= Math.max(size, 1);
    if (!Number.isSafeInteger(extent)) return fail(`a shape of more than 2^53 - 1 elements`);
  }
  return count;
}

/** @throws DataError where the shape does not fit the numbers. */
export function checkShape({ shape, data }: Tensor, fail: Fail): void {
  if (countOf(shape, fail) !== data.length)
    fail(`shape ${shapeText(shape)} does not fit ${data.length} values`);
}
