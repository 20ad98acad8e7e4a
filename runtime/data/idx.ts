/** IDX, the format of MNIST and its kin (http://yann.lecun.com/exdb/mnist): big-endian numbers after their shape. */
import { gunzipSync } from 'fflate';
import { DataError } from '../errors.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  /** Element by element, the last axis fastest. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

type Reader = (view: DataView, from: number, count: number) => IdxArray['data'];

/** By the third byte of the file. */
const ELEMENTS: Readonly<Record<number, { readonly bytes: number; readonly read: Reader }>> = {
  0x08: {
    bytes: 1,
    read: (view, from, count) => new Uint8Array(view.buffer, view.byteOffset + from, count).slice(),
  },
  0x09: {
    bytes: 1,
    read: (view, from, count) => new Int8Array(view.buffer, view.byteOffset + from, count).slice(),
  },
  0x0b: {
    bytes: 2,
    read: (view, from, count) => fill(new Int16Array(count), (i) => view.getInt16(from + 2 * i)),
  },
  0x0c: {
    bytes: 4,
    read: (view, from, count) => fill(new Int32Array(count), (i) => view.getInt32(from + 4 * i)),
  },
  0x0d: {
    bytes: 4,
    read: (view, from, count) => fill(new Float32Array(count), (i) => view.getFloat32(from + 4 * i)),
  },
  0x0e: {
    bytes: 8,
    read: (view, from, count) => fill(new Float64Array(count), (i) => view.getFloat64(from + 8 * i)),
  },
};

function fill<Values extends IdxArray['data']>(values: Values, at: (i: number) => number): Values {
  for (let i = 0; i < values.length; i++) values[i] = at(i);
  return values;
}

/** Reads an IDX file, gzipped or not. @throws DataError where it is not one, or is not of the length its shape needs */
export function readIdx(bytes: Uint8Array, name = 'the file'): IdxArray {
  const fail = (what: string): never => {
    throw new DataError(`${name} is not an IDX file that can be read: ${what}`);
  };
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzip(bytes, fail) : bytes;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  if (plain.length < 4) fail('it is cut short in its header');
  if (view.getUint16(0) !== 0) fail('it does not begin with two zero bytes');
  const element =
    ELEMENTS[plain[2]!] ?? fail(`elements of type 0x${plain[2]!.toString(16).padStart(2, '0')}`);
  const axes = plain[3]!;
  const start = 4 + 4 * axes;
  if (plain.length < start) fail('it is cut short in its header');
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (plain.length - start !== count * element.bytes)
    fail(`shape [${shape.join(', ')}] needs ${count * element.bytes} bytes, found ${plain.length - start}`);
  return { shape, data: element.read(view, start, count) };
}

function gunzip(bytes: Uint8Array, fail: (what: string) => never): Uint8Array {
  try {
    const plain = gunzipSync(bytes);
    const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
    return plain.length % 2 ** 32 === length ? plain : fail('its gzip stream is cut short or damaged');
  } catch (error) {
    return fail(
      error instanceof DataError
        ? error.message
        : `gzip: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
