/**
 * The `.safetensors` format (github.com/huggingface/safetensors, "Format"): eight bytes of header length, a JSON header,
 * then the tensors, little endian, row by row, without a gap. As strict as the reference reader.
 */
import { elementOf, ELEMENTS, littleEndianBytes, readElements, type ElementName } from './elements.ts';
import { isRecord, parseJson } from './json.ts';
import {
  checkName,
  checkShape,
  countOf,
  failIn,
  quoted,
  shapeText,
  type Fail,
  type Tensor,
  type Tensors,
} from './tensor.ts';

const ELEMENT_OF_TYPE: Readonly<Record<string, ElementName>> = {
  BOOL: 'bool',
  I8: 'i8',
  U8: 'u8',
  I16: 'i16',
  U16: 'u16',
  I32: 'i32',
  U32: 'u32',
  I64: 'i64',
  U64: 'u64',
  F16: 'f16',
  BF16: 'bf16',
  F32: 'f32',
  F64: 'f64',
};

/** The reference writer puts the types that need the widest alignment first, in this order. */
const WRITING_ORDER: readonly ElementName[] = ['f64', 'f32', 'u32', 'i32', 'u16', 'i16', 'i8', 'u8'];

/** The reference reader's limit. */
const LONGEST_HEADER = 100_000_000;
const METADATA = '__metadata__';

interface Entry {
  readonly name: string;
  readonly element: ElementName;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a `.safetensors` file. float16 and bfloat16 become float32, booleans 0 and 1, 64-bit integers int32 (float64
 * where they need it).
 * @param source the file's name, for messages
 * @throws DataError
 */
export function readSafetensors(bytes: Uint8Array, source = 'the file'): Tensors {
  const fail = failIn(`${source} is not a .safetensors file that can be read`);
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, not even the length of its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > bytes.length - 8)
    fail(
      `its header should be ${length} bytes long, but ${bytes.length - 8} are left: another format, or cut short`,
    );
  if (length > LONGEST_HEADER) fail(`its header is ${length} bytes long, more than ${LONGEST_HEADER}`);
  if (bytes[8] !== 0x7b) fail('its header does not begin with {');
  const data = bytes.subarray(8 + length);

  const header = parseJson(bytes.subarray(8, 8 + length), 3, fail);
  if (!isRecord(header)) return fail('its header is no JSON object');
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) checkMetadata(value, fail);
    else entries.push(readEntry(checkName(name, fail), value, data.length, source));
  }
  checkPlaces(entries, data.length, fail);
  return Object.fromEntries(
    entries.map(({ name, element, shape, begin, end }): [string, Tensor] => {
      const failHere = failIn(`${source}, tensor ${quoted(name)}`);
      return [name, { shape, data: readElements(data.subarray(begin, end), element, true, failHere) }];
    }),
  );
}

function checkMetadata(value: unknown, fail: Fail): void {
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string'))
    fail('its __metadata__ is no object of texts');
}

function readEntry(name: string, value: unknown, available: number, source: string): Entry {
  const fail = failIn(`${source}, tensor ${quoted(name)}`);
  if (!isRecord(value)) return fail('its entry in the header is no object');
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  if (Object.keys(rest).length > 0) fail(`its entry has an unknown key ${quoted(Object.keys(rest)[0]!)}`);
  if (typeof dtype !== 'string') return fail('its entry has no dtype');
  const element = Object.hasOwn(ELEMENT_OF_TYPE, dtype)
    ? ELEMENT_OF_TYPE[dtype]!
    : fail(`elements of type ${quoted(dtype)} cannot be read`);
  if (!Array.isArray(shape)) return fail('its entry has no shape');
  const sizes = shape as unknown[];
  const needed = countOf(sizes, fail) * ELEMENTS[element].bytes;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isOffset))
    return fail('its data_offsets are not two whole numbers');
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > available)
    fail(`its bytes ${begin} to ${end} do not lie in the ${available} bytes of the file's data`);
  if (end - begin !== needed)
    fail(`shape ${shapeText(sizes as number[])} of ${dtype} needs ${needed} bytes, found ${end - begin}`);
  return { name, element, shape: sizes as number[], begin, end };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** One tensor after the other from the first byte to the last: no overlap, no gap, nothing behind. */
function checkPlaces(entries: readonly Entry[], available: number, fail: Fail): void {
  let done = 0;
  let last = '';
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < done) fail(`tensors ${quoted(last)} and ${quoted(name)} overlap`);
    if (begin > done) fail(`${begin - done} bytes before tensor ${quoted(name)} belong to no tensor`);
    done = end;
    last = name;
  }
  if (done !== available) fail(`its tensors end at byte ${done} of ${available}`);
}

/**
 * Writes a `.safetensors` file, byte for byte as the reference writer does (without metadata, or with one entry of it).
 * @param metadata free texts; PyTorch's users write `{ format: 'pt' }`
 * @throws DataError where a shape does not fit its numbers, or by a name that no file may have
 */
export function writeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const fail = failIn('a .safetensors file');
  const rank = (name: string): number => WRITING_ORDER.indexOf(elementOf(tensors[name]!.data));
  const names = Object.keys(tensors).toSorted((a, b) => rank(a) - rank(b) || compareUtf8(a, b));
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let size = 0;
  for (const name of names) {
    const { shape, data } = tensors[name]!;
    if (checkName(name, fail) === METADATA) fail(`no tensor may have the name ${quoted(name)}`);
    checkShape({ shape, data }, failIn(`tensor ${quoted(name)}`));
    const entry = {
      dtype: elementOf(data).toUpperCase(),
      shape,
      data_offsets: [size, size + data.byteLength],
    };
    header.push([name, entry]);
    size += data.byteLength;
  }
  const text = header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  const json = new TextEncoder().encode(`{${text}}`);
  // spaces behind the header align the data to 8 bytes
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + size).fill(0x20, 8, start);
  new DataView(bytes.buffer).setUint32(0, start - 8, true);
  bytes.set(json, 8);
  let place = start;
  for (const name of names) {
    const { data } = tensors[name]!;
    bytes.set(littleEndianBytes(data), place);
    place += data.byteLength;
  }
  return bytes;
}

/** The order of code points, which is that of UTF-8's bytes; JavaScript's own is that of UTF-16. */
function compareUtf8(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
