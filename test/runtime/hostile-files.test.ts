/** Files made to harm, or harmed: always a DataError, at once, and no memory but what the file's own size allows. */
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../runtime/errors.ts';
import {
  readCheckpoint,
  readNpy,
  readNpz,
  readSafetensors,
  writeCheckpoint,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from '../../runtime/formats/index.ts';
import { crc32 } from '../../runtime/formats/zip.ts';
import { ourFiles, TRAINING } from '../fixtures/ours.ts';

function refuses(read: () => unknown, words: string): void {
  expect(read).toThrow(DataError);
  expect(read).toThrow(words);
}

/** A .safetensors file with this header, as text, and this many bytes of data. */
function safetensors(header: string, size = 0): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, new Uint8Array(size)]);
}

const entry = (shape: string, begin: number, end: number, dtype = 'F32'): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('.safetensors', () => {
  it.each([
    ['an empty file', new Uint8Array(0), 'it has 0 bytes'],
    [
      'a header longer than the file',
      Uint8Array.from(safetensors('{}')).fill(200, 0, 1),
      'its header should be 200 bytes long, but 2 are left',
    ],
    [
      'a header of 2^63 bytes',
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 123),
      'its header should be 9223372036854776000 bytes',
    ],
    [
      'another format',
      writeNpz({ a: { shape: [], data: Float32Array.of(1) } }),
      'another format, or cut short',
    ],
    ['a header that is no object', safetensors('[]'), 'does not begin with {'],
    ['a header that is no JSON', safetensors('{"a":}'), 'not JSON'],
    [
      'a header that is not UTF-8',
      Buffer.concat([safetensors('{    }').subarray(0, 9), Buffer.of(0xff, 0xfe, 32, 32, 125)]),
      'not UTF-8',
    ],
    ['a string without end', safetensors('{"a'), 'not JSON'],
    ['a deep header', safetensors(`{"a":${'['.repeat(100_000)}`), 'nested deeper than 3 brackets'],
    [
      'a name twice',
      safetensors(`{"a":${entry('[1]', 0, 4)},"a":${entry('[1]', 0, 4)}}`, 4),
      "the key 'a' twice",
    ],
    [
      'a name twice, once in disguise',
      safetensors(`{"a":${entry('[1]', 0, 4)},"\\u0061" :${entry('[1]', 4, 8)}}`, 8),
      "the key 'a' twice",
    ],
    [
      'a dtype twice',
      safetensors('{"a":{"dtype":"F32","dtype":"I32","shape":[],"data_offsets":[0,4]}}', 4),
      "the key 'dtype' twice",
    ],
    ['the name __proto__', safetensors(`{"__proto__":${entry('[1]', 0, 4)}}`, 4), "the name '__proto__'"],
    [
      'a name that would ring',
      safetensors(`{"a\\u0007":${entry('[1]', 0, 4)}}`, 4),
      'no tensor may have the name',
    ],
    ['no name', safetensors(`{"":${entry('[1]', 0, 4)}}`, 4), 'without a name'],
    ['an entry that is none', safetensors('{"a":3}'), "tensor 'a': its entry in the header is no object"],
    [
      'a key too many',
      safetensors('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}', 4),
      "unknown key 'x'",
    ],
    [
      'a strange type',
      safetensors(`{"a":${entry('[1]', 0, 1, 'F8_E4M3')}}`, 1),
      "tensor 'a': elements of type 'F8_E4M3' cannot be read",
    ],
    [
      'a type named as a method',
      safetensors(`{"a":${entry('[1]', 0, 1, 'toString')}}`, 1),
      "type 'toString'",
    ],
    [
      'a negative size',
      safetensors(`{"a":${entry('[-1,-1]', 0, 4)}}`, 4),
      "tensor 'a': a shape of sizes that are no whole numbers",
    ],
    ['half a size', safetensors(`{"a":${entry('[0.5,2]', 0, 4)}}`, 4), 'no whole numbers'],
    ['a size as text', safetensors(`{"a":${entry('["1"]', 0, 4)}}`, 4), 'no whole numbers'],
    [
      'a shape whose product overflows',
      safetensors(`{"a":${entry('[4294967296,4294967296,4294967296]', 0, 4)}}`, 4),
      'more than 2^53 - 1 elements',
    ],
    [
      'a huge shape',
      safetensors(`{"a":${entry('[1000000000000]', 0, 4)}}`, 4),
      'shape [1000000000000] of F32 needs 4000000000000 bytes, found 4',
    ],
    [
      'offsets beyond the data',
      safetensors(`{"a":${entry('[2]', 0, 8)}}`, 4),
      'bytes 0 to 8 do not lie in the 4 bytes',
    ],
    ['offsets the wrong way round', safetensors(`{"a":${entry('[1]', 4, 0)}}`, 4), 'bytes 4 to 0'],
    ['negative offsets', safetensors(`{"a":${entry('[1]', -4, 0)}}`, 4), 'not two whole numbers'],
    [
      'an offset too many',
      safetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4),
      'not two whole numbers',
    ],
    [
      'tensors that overlap',
      safetensors(`{"a":${entry('[2]', 0, 8)},"b":${entry('[2]', 4, 12)}}`, 12),
      "'a' and 'b' overlap",
    ],
    ['a gap', safetensors(`{"a":${entry('[1]', 4, 8)}}`, 8), '4 bytes before'],
    ['something behind the tensors', safetensors(`{"a":${entry('[1]', 0, 4)}}`, 5), 'end at byte 4 of 5'],
    [
      'metadata that is no text',
      safetensors('{"__metadata__":{"a":1}}'),
      '__metadata__ is no object of texts',
    ],
  ])('%s', (_, bytes, words) => {
    refuses(() => readSafetensors(bytes), words);
  });

  it('a header of 4 MB that is one unfinished string takes no more than a walk', () => {
    const header = Buffer.alloc(4_000_000, '\\"').fill('{"', 0, 2);
    refuses(() => readSafetensors(safetensors(header.toString('latin1'))), 'not JSON');
  });
});

const array = writeNpy(Float32Array.of(1, 2), [2]);
const DATE = new Date(1980, 0, 1);
const place = (bytes: Uint8Array, signature: number): number =>
  Buffer.from(bytes).indexOf(Buffer.of(0x50, 0x4b, signature, signature + 1));
/** A copy with 16- or 32-bit numbers put at a distance from the first record of a kind: 3 local, 1 directory, 5 end. */
function patched(
  bytes: Uint8Array,
  record: 1 | 3 | 5,
  numbers: Record<number, number>,
  size: 2 | 4 = 4,
): Uint8Array {
  const copy = Buffer.from(bytes);
  for (const [distance, value] of Object.entries(numbers))
    copy.writeUIntLE(value, place(copy, record) + Number(distance), size);
  return copy;
}

describe('.npz', () => {
  const stored = zipSync({ 'a.npy': array }, { level: 0, mtime: DATE });
  const deflated = zipSync({ 'a.npy': writeNpy(new Float32Array(1000), [1000]) }, { level: 9, mtime: DATE });
  const two = zipSync({ 'a.npy': array, 'b.npy': array }, { level: 0, mtime: DATE });
  const named = (name: string): Uint8Array => zipSync({ [name]: array }, { level: 0, mtime: DATE });
  const sameName = Buffer.from(Buffer.from(two).toString('latin1').replaceAll('b.npy', 'a.npy'), 'latin1');

  it('such files are read where nothing is wrong', () => {
    expect(Object.keys(readNpz(two))).toEqual(['a', 'b']);
    expect(readNpz(deflated)['a']!.shape).toEqual([1000]);
  });

  it.each([
    ['an empty file', new Uint8Array(0), 'no zip directory at its end'],
    ['another format', array, 'no zip directory at its end'],
    ['a file cut short', stored.subarray(0, -1), 'no zip directory at its end'],
    ['something behind the end', Buffer.concat([stored, Buffer.of(0)]), 'no zip directory at its end'],
    ['a directory beyond the file', patched(stored, 5, { 16: 1_000_000 }), 'its directory is cut short'],
    ['more entries than there are', patched(stored, 5, { 10: 2 }, 2), 'damaged at entry 2 of 2'],
    ['fewer entries than there are', patched(two, 5, { 10: 1 }, 2), 'more than its entries'],
    ['a wide directory that is not there', patched(stored, 5, { 10: 0xffff }, 2), 'its directory is missing'],
    ['a part of several', patched(stored, 5, { 4: 1 }, 2), 'of an archive of several files'],
    ['an entry that is elsewhere', patched(stored, 1, { 42: 1 }), "entry 'a.npy' is not where it should be"],
    ['an entry cut short', patched(stored, 1, { 20: 100_000, 24: 100_000 }), "entry 'a.npy' is cut short"],
    [
      'an entry with another name before it',
      patched(stored, 3, { 30: 0x6262 }, 2),
      'another name in the directory',
    ],
    ['an encrypted entry', patched(stored, 1, { 8: 1 }, 2), "entry 'a.npy' is encrypted"],
    ['another compression', patched(stored, 1, { 10: 93 }, 2), "entry 'a.npy' is compressed by method 93"],
    ['sizes that do not agree', patched(stored, 1, { 24: 7 }), "entry 'a.npy' cannot make 7 bytes of"],
    [
      'a size that deflate cannot make',
      patched(deflated, 1, { 24: 0x7fffffff }),
      'cannot make 2147483647 bytes of',
    ],
    ['a size in an extra field that is not there', patched(deflated, 1, { 24: 0xffffffff }), 'has no size'],
    ['a size that is less than what is inside', patched(deflated, 1, { 24: 100 }), 'is damaged'],
    ['a checksum that does not agree', patched(stored, 1, { 16: 1 }), "'a.npy' is damaged (its checksum"],
    [
      'entries that overlap',
      patched(two, 1, { 20: array.length + 10, 24: array.length + 10 }),
      "entry 'b.npy' overlaps",
    ],
    ['an entry twice', sameName, "the entry 'a.npy' twice"],
    ['a path to elsewhere', named('../a.npy'), "entry '../a.npy' has a path that leads out"],
    ['an absolute path', named('/a.npy'), 'leads out'],
    ['a path of Windows', named('c:a.npy'), 'leads out'],
    ['a path backwards', named('b\\..\\a.npy'), 'leads out'],
    ['an entry that is no array', named('a.txt'), "entry 'a.txt' is no array"],
    ['an array without a name', named('.npy'), 'without a name'],
    [
      'an entry that is no .npy file',
      zipSync({ 'a.npy': Buffer.from('x') }),
      "entry 'a.npy' of the file is not a .npy file",
    ],
  ])('%s', (_, bytes, words) => {
    refuses(() => readNpz(bytes), words);
  });

  it('the name __proto__', () => {
    const bytes = Buffer.from(
      Buffer.from(named('abcdefghi.npy')).toString('latin1').replaceAll('abcdefghi', '__proto__'),
      'latin1',
    );
    refuses(() => readNpz(bytes), "the name '__proto__'");
  });

  it('a bomb is refused by what it declares, before it is unpacked', () => {
    const bomb = zipSync(
      { 'a.npy': new Uint8Array(1_000_000), 'b.npy': new Uint8Array(1_000_000) },
      { level: 9 },
    );
    expect(bomb.length).toBeLessThan(20_000);
    refuses(
      () => readNpz(bomb, 'w.npz', { maximumBytes: 1_500_000 }),
      'make 2000000 bytes, more than 1500000',
    );
  });

  it('a bomb that lies about its size is unpacked no further than it declares', () => {
    const packed = deflateRawSync(new Uint8Array(20_000_000));
    const bomb = Buffer.from(zipSync({ 'a.npy': [packed, { level: 0 }] }, { mtime: DATE }));
    const lying = patched(patched(bomb, 1, { 10: 8 }, 2), 1, { 24: 1000 });
    const before = process.memoryUsage().arrayBuffers;
    refuses(() => readNpz(lying), 'is damaged');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
  });

  it('archives with the wide directory of more than 4 GiB are read', () => {
    const end = place(stored, 5);
    const wide = Buffer.alloc(76);
    wide.writeUInt32LE(0x06064b50, 0);
    wide.writeBigUInt64LE(44n, 4);
    wide.writeBigUInt64LE(1n, 24);
    wide.writeBigUInt64LE(1n, 32);
    wide.writeBigUInt64LE(BigInt(end - place(stored, 1)), 40);
    wide.writeBigUInt64LE(BigInt(place(stored, 1)), 48);
    wide.writeUInt32LE(0x07064b50, 56);
    wide.writeBigUInt64LE(BigInt(end), 64);
    const bytes = Buffer.concat([stored.subarray(0, end), wide, stored.subarray(end)]);
    const last = patched(bytes.subarray(end + 56), 5, { 12: 0xffffffff, 16: 0xffffffff });
    const archive = Buffer.concat([
      bytes.subarray(0, end + 56),
      patched(last, 5, { 8: 0xffff, 10: 0xffff }, 2),
    ]);
    expect(readNpz(archive)).toEqual({ a: { shape: [2], data: Float32Array.of(1, 2) } });
  });

  it('checksums are those of the standard', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  });
});

describe('checkpoints', () => {
  const checkpoint = (manifest: string, entries: Record<string, Uint8Array> = {}): Uint8Array =>
    zipSync({ 'training.json': Buffer.from(manifest), ...entries }, { level: 0, mtime: DATE });
  const manifest = (changes: object): string => {
    const { arrays: _, ...rest } = TRAINING;
    return JSON.stringify({ ...rest, ...changes });
  };

  it.each([
    ['weights alone', writeNpz({ a: { shape: [1], data: Float32Array.of(1) } }), 'it has no training.json'],
    ['another format', checkpoint('{"format":"x"}'), 'training.json is of another format'],
    ['no object', checkpoint('3'), 'training.json is of another format'],
    [
      'a later version',
      checkpoint(manifest({ version: 2 })),
      'its version is 2; this program reads version 1',
    ],
    ['half a step', checkpoint(manifest({ step: 0.5 })), 'step in training.json is no whole number from 0'],
    ['a negative epoch', checkpoint(manifest({ epoch: -1 })), 'epoch in training.json'],
    ['no seed', checkpoint(manifest({ seed: null })), 'seed in training.json'],
    ['another type', checkpoint(manifest({ dtype: 'f16' })), 'dtype in training.json is neither f32 nor f64'],
    ['no model', checkpoint(manifest({ model: 7 })), 'has no model'],
    ['no factor', checkpoint(manifest({ rateFactor: '1' })), 'rateFactor in training.json is no number'],
    ['deep JSON', checkpoint(`{"format":${'['.repeat(50_000)}`), 'nested deeper than 16'],
    ['a key twice', checkpoint('{"step":1,"step":2}'), "in training.json, its JSON has the key 'step' twice"],
    [
      'integers',
      checkpoint(manifest({}), { 'weights/W.npy': writeNpy(Int32Array.of(1), [1]) }),
      "'weights/W.npy' holds integers",
    ],
    [
      'an entry that is no array',
      checkpoint(manifest({}), { 'x.txt': Buffer.of(1) }),
      "entry 'x.txt' is no array",
    ],
  ])('%s', (_, bytes, words) => {
    refuses(() => readCheckpoint(bytes), words);
  });
});

describe('what cannot be written', () => {
  const one = { shape: [1], data: Float32Array.of(1) };
  it.each([
    ['.npy', () => writeNpy(Float32Array.of(1), [2]), 'shape [2] does not fit 1 values'],
    ['.npz', () => writeNpz({ 'a\n': one }), 'no tensor may have the name'],
    ['.npz, __proto__', () => writeNpz(Object.fromEntries([['__proto__', one]])), "the name '__proto__'"],
    ['.safetensors', () => writeSafetensors({ a: { ...one, shape: [-1] } }), "tensor 'a': a shape of sizes"],
    ['.safetensors, __metadata__', () => writeSafetensors({ __metadata__: one }), "the name '__metadata__'"],
    [
      '.ckpt',
      () => writeCheckpoint({ ...TRAINING, arrays: { a: { ...one, shape: [3] } } }),
      "array 'a': shape [3]",
    ],
  ])('%s', (_, write, words) => {
    refuses(write, words);
  });
});

/** Whatever is done to a good file, it is read or refused by a DataError. */
describe('damaged files', () => {
  const fixture = (name: string): Uint8Array =>
    readFileSync(new URL(`./fixtures/theirs/${name}`, import.meta.url));
  const files = ourFiles();
  const readers: Record<string, [Uint8Array, (bytes: Uint8Array) => unknown]> = {
    '.npy': [files['W1.npy']!, readNpy],
    '.npy in Fortran order': [fixture('fortran_order_3d.npy'), readNpy],
    '.npz': [files['tensors.npz']!, (bytes) => readNpz(bytes, 'w', { maximumBytes: 1e6 })],
    '.npz, compressed': [fixture('compressed.npz'), (bytes) => readNpz(bytes, 'w', { maximumBytes: 1e6 })],
    '.safetensors': [files['tensors.safetensors']!, readSafetensors],
    '.ckpt': [files['training.ckpt']!, (bytes) => readCheckpoint(bytes, 'w', { maximumBytes: 1e6 })],
  };

  const readsOrRefuses = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean => {
    try {
      read(bytes);
      return true;
    } catch (error) {
      if (error instanceof DataError) return false;
      throw error;
    }
  };

  it.each(Object.entries(readers))('%s: cut anywhere, it is refused', (_, [bytes, read]) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(readsOrRefuses(read, bytes.subarray(0, length))).toBe(false);
    }
  });

  it.each(Object.entries(readers))('%s: bytes changed, taken out and put in', (_, [bytes, read]) => {
    const edit = fc.record({
      place: fc.nat(bytes.length - 1),
      drop: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.nat(20)),
      insert: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 1 }),
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom(
          ...['\xff\xff\xff\xff', '\0\0\0\0', '"', '{', '[', 'PK\x01\x02'].map((text) =>
            Buffer.from(text, 'latin1'),
          ),
        ),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let damaged = Buffer.from(bytes);
        for (const { place, drop, insert } of edits)
          damaged = Buffer.concat([damaged.subarray(0, place), insert, damaged.subarray(place + drop)]);
        const before = process.memoryUsage().arrayBuffers;
        readsOrRefuses(read, damaged);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
      }),
      { numRuns: 500 },
    );
  });

  it('a flipped bit in the arrays of a zip archive never goes unseen', () => {
    const good = readCheckpoint(files['training.ckpt']!);
    fc.assert(
      fc.property(fc.nat(files['training.ckpt']!.length - 1), fc.nat(7), (place, bit) => {
        const damaged = Uint8Array.from(files['training.ckpt']!);
        damaged[place]! ^= 1 << bit;
        try {
          expect(readCheckpoint(damaged)).toEqual(good);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
