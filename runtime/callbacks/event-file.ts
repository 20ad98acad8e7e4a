/**
 * TensorBoard's event files: TFRecords (tensorflow/core/lib/io/record_writer.h) of `Event` messages
 * (tensorboard/compat/proto/event.proto) in the wire format of protocol buffers.
 */

/** The remainders of CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) of each byte. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ CRC_TABLE[(remainder ^ byte) & 255]!;
  return (remainder ^ 0xffffffff) >>> 0;
}

/** The checksum of a TFRecord: rotated right by 15 bits, plus a constant. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** length (uint64), its checksum, the data, their checksum; little endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

type Bytes = readonly number[];

const VARINT = 0;
const DOUBLE = 1;
const LENGTH = 2;
const FLOAT = 5;

const key = (field: number, wire: number): number => (field << 3) | wire;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function float(value: number, size: 4 | 8): Bytes {
  const view = new DataView(new ArrayBuffer(size));
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return [...new Uint8Array(view.buffer)];
}

const within = (field: number, bytes: Bytes): Bytes => [
  key(field, LENGTH),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): Bytes => within(field, [...new TextEncoder().encode(value)]);

/** Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5 } */
const event = (wallTime: number, step: number, what: Bytes): Uint8Array =>
  Uint8Array.from([
    key(1, DOUBLE),
    ...float(wallTime, 8),
    ...(step === 0 ? [] : [key(2, VARINT), ...varint(step)]),
    ...what,
  ]);

/** What an event file begins with. @param wallTime seconds since 1970 */
export function fileHeader(wallTime: number): Uint8Array {
  return record(event(wallTime, 0, text(3, 'brain.Event:2')));
}

/** Scalars of a step. Summary { repeated Value value = 1 }, Value { string tag = 1; float simple_value = 2 } */
export function scalarEvent(
  wallTime: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    within(1, [...text(1, tag), key(2, FLOAT), ...float(value, 4)]),
  );
  return record(event(wallTime, step, within(5, values)));
}
