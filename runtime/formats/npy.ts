/**
 * NumPy's `.npy` files, version 1.0 to 3.0 (format: numpy/lib/format.py, NEP 1). Reading takes either byte order, C or
 * Fortran order; writing gives little endian and C order, byte for byte what `numpy.save` writes.
 */
import { elementOf, ELEMENTS, littleEndianBytes, readElements, type ElementName } from './elements.ts';
import { checkShape, countOf, failIn, shapeText, type Fail, type Tensor, type TensorData } from './tensor.ts';

const ELEMENT_OF_TYPE: Readonly<Record<string, ElementName>> = {
  b1: 'bool',
  i1: 'i8',
  u1: 'u8',
  i2: 'i16',
  u2: 'u16',
  i4: 'i32',
  u4: 'u32',
  i8: 'i64',
  u8: 'u64',
  f2: 'f16',
  f4: 'f32',
  f8: 'f64',
};

const TYPE_OF_ELEMENT: Readonly<Partial<Record<ElementName, string>>> = {
  i8: '|i1',
  u8: '|u1',
  i16: '<i2',
  u16: '<u2',
  i32: '<i4',
  u32: '<u4',
  f32: '<f4',
  f64: '<f8',
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** numpy reads no longer header either. */
const LONGEST_HEADER = 10_000;
const MOST_AXES = 64;

export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads a `.npy` file. float16 becomes float32, booleans 0 and 1, 64-bit integers int32 (float64 where they need it).
 * @param name of the file, for messages
 * @throws DataError where it is not one, is cut short, or holds something else than numbers (Python objects are never
 * unpickled)
 */
export function readNpy(bytes: Uint8Array, name = 'the file'): Tensor {
  const fail = failIn(`${name} is not a .npy file that can be read`);
  if (!isNpy(bytes)) fail('it does not begin with the magic string');
  const major = bytes[6] ?? fail('it is cut short in its header');
  if (major < 1 || major > 3) fail(`format version ${major}`);
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) fail('it is cut short in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = 8 + lengthBytes + headerLength;
  if (start > bytes.length) fail('it is cut short in its header');
  if (headerLength > LONGEST_HEADER) fail(`its header is ${headerLength} bytes long`);
  const header = new TextDecoder().decode(bytes.subarray(8 + lengthBytes, start));

  const { element, littleEndian, columnsFirst, shape } = readHeader(header, fail);
  const needed = countOf(shape, fail) * ELEMENTS[element].bytes;
  if (bytes.length - start !== needed)
    fail(`shape ${shapeText(shape)} needs ${needed} bytes, found ${bytes.length - start}`);
  const data = readElements(bytes.subarray(start), element, littleEndian, fail);
  return { shape, data: columnsFirst && shape.length > 1 ? rowByRow(data, shape) : data };
}

interface Header {
  readonly element: ElementName;
  readonly littleEndian: boolean;
  readonly columnsFirst: boolean;
  readonly shape: readonly number[];
}

const ENTRY =
  /\s*(?:'([a-z_]+)'|"([a-z_]+)")\s*:\s*('[^']*'|"[^"]*"|True|False|\([\d,\sL]*\)|\[)\s*(,|(?=\}))/y;

/** The header is a Python dictionary of three entries, in any order. */
function readHeader(header: string, fail: Fail): Header {
  const text = header.trim();
  const entries = new Map<string, string>();
  ENTRY.lastIndex = 1;
  while (text.startsWith('{') && ENTRY.lastIndex < text.length - 1) {
    const at = ENTRY.lastIndex;
    const match = ENTRY.exec(text);
    if (match === null) {
      if (text.slice(at).trim() === '}') break;
      if (/^\s*['"]descr['"]\s*:\s*\[/.test(text.slice(at)))
        fail('its elements are records of several fields');
      return fail('its header is no dictionary of descr, fortran_order and shape');
    }
    const key = (match[1] ?? match[2])!;
    if (entries.has(key)) fail(`its header has ${key} twice`);
    entries.set(key, match[3]!);
  }
  const descr = entries.get('descr');
  const order = entries.get('fortran_order');
  const sizes = entries.get('shape');
  if (entries.size !== 3 || descr === undefined || order === undefined || !sizes?.startsWith('('))
    return fail('its header is no dictionary of descr, fortran_order and shape');

  const type = /^['"]([<>|=]?)([a-zA-Z])(\d*)['"]$/.exec(descr) ?? fail(`elements of type ${descr}`);
  if (type[2] === 'O') fail('it holds Python objects, which are pickled and never read');
  const element = ELEMENT_OF_TYPE[`${type[2]}${type[3]}`] ?? fail(`elements of type '${type[2]}${type[3]}'`);
  if (order !== 'True' && order !== 'False') fail('its header has no order');
  const shape = sizes
    .slice(1, -1)
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    // Python 2 wrote 3L for 3
    .map((size) => (/^\d+L?$/.test(size) ? Number.parseInt(size, 10) : Number.NaN));
  if (shape.length > MOST_AXES) fail(`it has ${shape.length} axes`);
  return { element, littleEndian: type[1] !== '>', columnsFirst: order === 'True', shape };
}

/** Elements stored with the first axis fastest, put with the last axis fastest. */
function rowByRow<T extends TensorData>(data: T, shape: readonly number[]): T {
  const result = data.slice() as T;
  const strides: number[] = [];
  for (let axis = 0, stride = 1; axis < shape.length; axis++) {
    strides.push(stride);
    stride *= shape[axis]!;
  }
  const place = shape.map(() => 0);
  for (let target = 0, source = 0; target < data.length; target++) {
    result[target] = data[source]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      source -= strides[axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
  return result;
}

/** numpy leaves room for the first size to grow to this many digits, so that a file can be appended to. */
const GROWTH_DIGITS = 21;

/** Writes numbers as a `.npy` file, version 1.0. @throws DataError where the shape does not fit the numbers. */
export function writeNpy(data: TensorData, shape: readonly number[]): Uint8Array {
  checkShape({ shape, data }, failIn('a .npy file'));
  const descr = TYPE_OF_ELEMENT[elementOf(data)]!;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const room = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(room)}`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(littleEndianBytes(data), 10 + header.length);
  return bytes;
}
