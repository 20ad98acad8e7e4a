import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError, readIdx } from 'chainrule/data';

/** An IDX file: type code, shape and the numbers in big-endian bytes. */
function file(type: number, shape: readonly number[], numbers: Buffer): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = type;
  header[3] = shape.length;
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis);
  return Buffer.concat([header, numbers]);
}

const bytes = file(0x08, [2, 3], Buffer.from([1, 2, 3, 4, 5, 255]));

describe('IDX files', () => {
  it('hold a shape and numbers, the last axis fastest', () => {
    expect(readIdx(bytes)).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) });
  });

  it('may be gzipped', () => {
    expect(readIdx(gzipSync(bytes))).toEqual(readIdx(bytes));
  });

  it('may lie anywhere in a larger buffer, and share nothing with it', () => {
    const large = Buffer.concat([Buffer.alloc(3), bytes]);
    const { data } = readIdx(large.subarray(3));
    large.fill(0);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
  });

  it.each([
    ['int8', 0x09, Buffer.from([0xff, 2]), Int8Array.of(-1, 2)],
    ['int16', 0x0b, Buffer.from([0xff, 0xfe, 1, 0]), Int16Array.of(-2, 256)],
    ['int32', 0x0c, Buffer.from([0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0]), Int32Array.of(-3, 65536)],
    ['float32', 0x0d, Buffer.from([0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0]), Float32Array.of(1, -2.5)],
    [
      'float64',
      0x0e,
      Buffer.from([0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0x04, 0, 0, 0, 0, 0, 0]),
      Float64Array.of(1, -2.5),
    ],
  ])('of %s', (_, type, numbers, data) => {
    expect(readIdx(file(type, [2], numbers))).toEqual({ shape: [2], data });
  });

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'cut short in its header'],
    ['another format', Buffer.from('PK and so on'), 'does not begin with two zero bytes'],
    ['an unknown type', file(0x0a, [1], Buffer.from([0])), 'elements of type 0x0a'],
    ['a header cut short', bytes.subarray(0, 9), 'cut short in its header'],
    ['numbers cut short', bytes.subarray(0, -1), 'shape [2, 3] needs 6 bytes, found 5'],
    ['too many numbers', Buffer.concat([bytes, bytes]), 'shape [2, 3] needs 6 bytes, found 24'],
    ['a huge shape', file(0x08, [2 ** 31, 2 ** 31, 2 ** 31], Buffer.alloc(1)), 'found 1'],
    ['a gzip stream cut short', gzipSync(bytes).subarray(0, -6), 'gzip'],
  ])('%s: a clear error', (_, wrong, words) => {
    expect(() => readIdx(wrong, 'images.idx')).toThrow(DataError);
    expect(() => readIdx(wrong, 'images.idx')).toThrow('images.idx is not an IDX file that can be read: ');
    expect(() => readIdx(wrong, 'images.idx')).toThrow(words);
  });
});
