/**
 * NumPy's `.npy` files, version 1.0 to 3.0, for weights (format: numpy/lib/format.py, NEP 1). Little endian, C or
 * Fortran order on reading, C order on writing.
 */
import { DataError } from './errors.ts';

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data:
    | Float32Array
    | Float64Array
    | Int32Array
    | Uint8Array
    | Int8Array
    | Int16Array
    | Uint16Array
    | Uint32Array;
}

const READERS = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
} as const;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Reads a `.npy` file. @throws DataError where it is not one, is cut short, or holds something else than numbers. */
export function readNpy(bytes: Uint8Array, name = 'the file'): NpyArray {
  const fail = (what: string): never => {
    throw new DataError(`${name} is not a .npy file that can be read: ${what}`);
  };
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte))
    fail('it does not begin with the magic string');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6]!;
  if (major < 1 || major > 3) fail(`format version ${major}`);
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) fail('it is cut short in its header');
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = 8 + lengthBytes + headerLength;
  if (start > bytes.length) fail('it is cut short in its header');
  const header = new TextDecoder().decode(bytes.subarray(8 + lengthBytes, start));

  const descr =
    /'descr':\s*'([<>|=]?)([a-zA-Z]\d+)'/.exec(header) ?? fail('its header has no plain element type');
  const order = /'fortran_order':\s*(True|False)/.exec(header) ?? fail('its header has no order');
  const shapeText = /'shape':\s*\(([\d,\s]*)\)/.exec(header) ?? fail('its header has no shape');
  const shape = shapeText[1]!
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number);
  if (descr[1] === '>') fail('its numbers are big endian');
  const element = descr[2]!;
  if (!(element in READERS)) fail(`elements of type '${element}'`);
  const ArrayType = READERS[element as keyof typeof READERS];
  const count = shape.reduce((product, size) => product * size, 1);
  const needed = count * ArrayType.BYTES_PER_ELEMENT;
  if (bytes.length - start !== needed) {
    fail(`shape [${shape.join(', ')}] needs ${needed} bytes, found ${bytes.length - start}`);
  }
  const data = new ArrayType(new Uint8Array(bytes.subarray(start)).buffer);
  return { shape, data: order[1] === 'True' && shape.length > 1 ? rowByRow(data, shape) : data };
}

/** Elements stored with the first axis fastest, put with the last axis fastest. */
function rowByRow<T extends NpyArray['data']>(data: T, shape: readonly number[]): T {
  const result = data.slice() as T;
  const place = shape.map(() => 0);
  for (let target = 0; target < data.length; target++) {
    let source = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) source = source * shape[axis]! + place[axis]!;
    result[target] = data[source]!;
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis]! === shape[axis]!; axis--) place[axis] = 0;
  }
  return result;
}

/** Writes numbers as a `.npy` file, version 1.0. @throws DataError where the shape does not fit the numbers. */
export function writeNpy(
  data: Float32Array | Float64Array | Int32Array,
  shape: readonly number[],
): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length)
    throw new DataError(`shape [${shape.join(', ')}] does not fit ${data.length} values`);
  const descr = data instanceof Float32Array ? '<f4' : data instanceof Float64Array ? '<f8' : '<i4';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}
