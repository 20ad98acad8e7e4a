import { describe, expect, it } from 'vitest';
import { DataError } from '../../runtime/errors.ts';
import { readNpy, writeNpy } from '../../runtime/formats/npy.ts';

/** A file as NumPy writes it: `header` padded to 64 bytes, then the numbers. */
function file(header: string, data: ArrayBufferView): Uint8Array {
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const start = [0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8];
  return Buffer.concat([
    Uint8Array.from(start),
    Buffer.from(padded, 'latin1'),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

describe('.npy files', () => {
  it('come back as they were written', () => {
    for (const data of [
      Float32Array.of(1.5, -2, 3, 4, 5, 6),
      Float64Array.of(1, 2, 3, 4, 5, Math.PI),
      Int32Array.of(1, -2, 3, 4, 5, 6),
    ]) {
      expect(readNpy(writeNpy(data, [2, 3]))).toEqual({ shape: [2, 3], data });
    }
    expect(readNpy(writeNpy(Float64Array.of(7), []))).toEqual({ shape: [], data: Float64Array.of(7) });
    expect(readNpy(writeNpy(Float32Array.of(7, 8), [2]))).toEqual({
      shape: [2],
      data: Float32Array.of(7, 8),
    });
  });

  it('are aligned to 64 bytes, as NumPy wants them', () => {
    const bytes = writeNpy(new Float32Array(4), [2, 2]);
    expect((bytes.length - 16) % 64).toBe(0);
  });

  it('may lie anywhere in a larger buffer', () => {
    const bytes = writeNpy(Float64Array.of(1, 2), [2]);
    const inside = new Uint8Array(bytes.length + 3);
    inside.set(bytes, 3);
    expect(readNpy(inside.subarray(3)).data).toEqual(Float64Array.of(1, 2));
  });

  it('may have their header in any order, and long integers of Python 2', () => {
    const header = "{'shape': (2L, 1L), 'fortran_order': False, 'descr': '=f4'}";
    expect(readNpy(file(header, Float32Array.of(1, 2)))).toEqual({
      shape: [2, 1],
      data: Float32Array.of(1, 2),
    });
  });

  it('in Fortran order are put in C order', () => {
    const header = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
    expect(readNpy(file(header, Float64Array.of(1, 4, 2, 5, 3, 6))).data).toEqual(
      Float64Array.of(1, 2, 3, 4, 5, 6),
    );
  });

  it.each([
    ['an empty file', new Uint8Array(0), 'magic'],
    ['another format', Buffer.from('PK\u0003\u0004 and so on and on'), 'magic'],
    ['a header cut short', writeNpy(Float32Array.of(1), [1]).subarray(0, 30), 'cut short'],
    ['numbers cut short', writeNpy(Float32Array.of(1, 2), [2]).subarray(0, -2), 'needs 8 bytes, found 6'],
    [
      'objects',
      file("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new Float64Array(1)),
      'Python objects',
    ],
    [
      'complex numbers',
      file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", new Float64Array(1)),
      "'c8'",
    ],
    [
      'an entry twice',
      file("{'shape': (2,), 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", new Float32Array(1)),
      'has shape twice',
    ],
    [
      'an entry more',
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': True, }", new Float32Array(1)),
      'no dictionary of descr, fortran_order and shape',
    ],
    [
      'text behind the dictionary',
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }, 1}", new Float32Array(1)),
      'no dictionary',
    ],
    [
      'a shape beyond counting',
      file(
        `{'descr': '<f4', 'fortran_order': False, 'shape': (${'9'.repeat(17)}, 0), }`,
        new Float32Array(0),
      ),
      'no whole numbers from 0 to 2^53 - 1',
    ],
    [
      'a product beyond counting, hidden by a zero',
      file(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 0, 99999999,), }",
        new Float32Array(0),
      ),
      'more than 2^53 - 1 elements',
    ],
    [
      'a negative size',
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -1), }", new Float32Array(1)),
      'no dictionary',
    ],
    [
      'too many axes',
      file(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'1,'.repeat(65)}), }`, new Float32Array(1)),
      'it has 65 axes',
    ],
    [
      'a header longer than any',
      file(
        `{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }${' '.repeat(10_000)}`,
        new Float32Array(1),
      ),
      'its header is',
    ],
    [
      'an integer beyond float64',
      file("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", BigInt64Array.of(1n, 2n ** 53n)),
      '9007199254740992 at element 1',
    ],
  ])('%s: a clear error', (_, bytes, words) => {
    expect(() => readNpy(bytes, 'W.npy')).toThrow(DataError);
    expect(() => readNpy(bytes, 'W.npy')).toThrow(words);
  });
});
