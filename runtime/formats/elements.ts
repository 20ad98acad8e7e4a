/**
 * Element types of files and the typed arrays they are read into. What JavaScript has no array for is widened without
 * loss: float16 and bfloat16 to float32, 64-bit integers to int32 or, where they need it, float64.
 */
import type { Fail, TensorData } from './tensor.ts';

interface Element {
  readonly bytes: number;
  /** `buffer` is the elements' own copy, in the byte order of this machine. */
  readonly read: (buffer: ArrayBuffer, fail: Fail) => TensorData;
}

export const ELEMENTS = {
  bool: { bytes: 1, read: (buffer) => new Uint8Array(buffer).map((value) => (value === 0 ? 0 : 1)) },
  i8: { bytes: 1, read: (buffer) => new Int8Array(buffer) },
  u8: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  i16: { bytes: 2, read: (buffer) => new Int16Array(buffer) },
  u16: { bytes: 2, read: (buffer) => new Uint16Array(buffer) },
  i32: { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  u32: { bytes: 4, read: (buffer) => new Uint32Array(buffer) },
  i64: { bytes: 8, read: (buffer, fail) => fromWideIntegers(new BigInt64Array(buffer), fail) },
  u64: { bytes: 8, read: (buffer, fail) => fromWideIntegers(new BigUint64Array(buffer), fail) },
  f16: { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf) },
  bf16: { bytes: 2, read: (buffer) => fromBrainFloat(new Uint16Array(buffer)) },
  f32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  f64: { bytes: 8, read: (buffer) => new Float64Array(buffer) },
} as const satisfies Record<string, Element>;

export type ElementName = keyof typeof ELEMENTS;

const LITTLE_ENDIAN_MACHINE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The elements in `bytes`, copied; their length has been checked. */
export function readElements(
  bytes: Uint8Array,
  name: ElementName,
  littleEndian: boolean,
  fail: Fail,
): TensorData {
  const copy = new Uint8Array(bytes);
  const element: Element = ELEMENTS[name];
  if (littleEndian !== LITTLE_ENDIAN_MACHINE) swapBytes(copy, element.bytes);
  return element.read(copy.buffer, fail);
}

/** The bytes of the elements, little endian: a view of them where the machine is. */
export function littleEndianBytes(data: TensorData): Uint8Array {
  const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (LITTLE_ENDIAN_MACHINE) return view;
  const copy = new Uint8Array(view);
  swapBytes(copy, data.BYTES_PER_ELEMENT);
  return copy;
}

export function elementOf(data: TensorData): ElementName {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Float64Array) return 'f64';
  if (data instanceof Int8Array) return 'i8';
  if (data instanceof Uint8Array) return 'u8';
  if (data instanceof Int16Array) return 'i16';
  if (data instanceof Uint16Array) return 'u16';
  return data instanceof Int32Array ? 'i32' : 'u32';
}

function swapBytes(bytes: Uint8Array, size: number): void {
  if (size === 1) return;
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}

function fromWideIntegers(values: BigInt64Array | BigUint64Array, fail: Fail): Int32Array | Float64Array {
  const numbers = new Float64Array(values.length);
  let narrow = true;
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]!);
    if (!Number.isSafeInteger(value))
      fail(`${values[i]!} at element ${i} is an integer that no float64 can hold for certain`);
    numbers[i] = value;
    narrow &&= value === (value | 0);
  }
  return narrow ? Int32Array.from(numbers) : numbers;
}

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of a float32. */
function fromBrainFloat(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (value) => value << 16).buffer);
}
