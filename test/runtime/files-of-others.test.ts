/**
 * Files of numpy and of the reference safetensors library are read, and ours are byte for byte those that these libraries
 * have opened (test/fixtures/make-files.py makes the former and checks the latter).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  readCheckpoint,
  readNpy,
  readNpz,
  readSafetensors,
  writeNpy,
  writeSafetensors,
} from '../../runtime/formats/index.ts';
import { ourFiles, TENSORS, TRAINING } from '../fixtures/ours.ts';

const read = (path: string): Uint8Array => readFileSync(new URL(`./fixtures/${path}`, import.meta.url));
const theirs = (name: string): Uint8Array => read(`theirs/${name}`);

const HALVES = [0, -0, 1, -2.5, 65504, 2 ** -24, 1023 * 2 ** -24, Infinity, -Infinity, 0.333_007_812_5];
const WIDENED = {
  f16: { shape: [10], data: Float32Array.from(HALVES) },
  i64: { shape: [3], data: Int32Array.of(-1, 2, 2 ** 31 - 1) },
  i64_wide: { shape: [2], data: Float64Array.of(1 - 2 ** 53, 2 ** 40) },
  u64: { shape: [2], data: Float64Array.of(0, 2 ** 32) },
  bool: { shape: [2, 2], data: Uint8Array.of(1, 0, 0, 1) },
};

describe('files of numpy', () => {
  it('.npz, stored', () => {
    expect(readNpz(theirs('stored.npz'))).toEqual(TENSORS);
  });

  it('.npz, compressed, with types that are widened', () => {
    expect(readNpz(theirs('compressed.npz'))).toEqual({ ...TENSORS, ...WIDENED });
  });

  const matrix = [1, 2, 3, 4, 5, 6];
  it.each([
    ['c_order.npy', [2, 3], Float32Array.from(matrix)],
    ['version_2.npy', [2, 3], Float32Array.from(matrix)],
    ['version_3.npy', [2, 3], Float32Array.from(matrix)],
    ['fortran_order.npy', [2, 3], Float64Array.from(matrix)],
    ['fortran_order_3d.npy', [2, 3, 4], TENSORS['block.0.weight'].data],
    ['big_endian.npy', [2, 3], Float64Array.from(matrix)],
    ['big_endian_i2.npy', [2, 3], Int16Array.from(matrix)],
    ['scalar.npy', [], Float64Array.of(7.5)],
    ['vector.npy', [2], Int32Array.of(1, 2)],
  ])('%s', (name, shape, data) => {
    expect(readNpy(theirs(name))).toEqual({ shape, data });
  });

  it.each([
    ['objects.npy', 'Python objects, which are pickled and never read'],
    ['records.npy', 'records of several fields'],
    ['complex.npy', "elements of type 'c16'"],
    ['text.npy', "elements of type 'U2'"],
  ])('%s: refused', (name, words) => {
    expect(() => readNpy(theirs(name), name)).toThrow(words);
  });
});

describe('files of the safetensors library', () => {
  it('with and without metadata', () => {
    expect(readSafetensors(theirs('plain.safetensors'))).toEqual(TENSORS);
    expect(readSafetensors(theirs('metadata.safetensors'))).toEqual(TENSORS);
  });

  it('with types that are widened', () => {
    expect(readSafetensors(theirs('widened.safetensors'))).toEqual(WIDENED);
    // 0x3eab is 1.0101011 (binary) times 2^-2, 0x0001 the least number that is not 0
    const data = Float32Array.of(0, 1, -2.5, Infinity, 0b10101011 * 2 ** -9, 2 ** -133);
    expect(readSafetensors(theirs('bf16.safetensors'))).toEqual({ bf16: { shape: [2, 3], data } });
  });
});

describe('our files', () => {
  it.each(Object.entries(ourFiles()))('%s: the bytes that the reference libraries opened', (name, bytes) => {
    expect(Buffer.compare(bytes, read(`ours/${name}`))).toBe(0);
  });

  it('all of them', () => {
    const stored = readdirSync(new URL('./fixtures/ours', import.meta.url));
    expect(Object.keys(ourFiles()).toSorted()).toEqual(stored.toSorted());
  });

  it('are those that the reference libraries write', () => {
    expect(Buffer.compare(writeSafetensors(TENSORS), theirs('plain.safetensors'))).toBe(0);
    expect(Buffer.compare(writeSafetensors(TENSORS, { format: 'pt' }), theirs('metadata.safetensors'))).toBe(
      0,
    );
    const { shape, data } = readNpy(theirs('c_order.npy'));
    expect(Buffer.compare(writeNpy(data, shape), theirs('c_order.npy'))).toBe(0);
    expect(Buffer.compare(writeNpy(Float64Array.of(7.5), []), theirs('scalar.npy'))).toBe(0);
  });

  it('come back', () => {
    const files = ourFiles();
    expect(readNpz(files['tensors.npz']!)).toEqual(TENSORS);
    expect(readSafetensors(files['tensors.safetensors']!)).toEqual(TENSORS);
    expect(readCheckpoint(files['training.ckpt']!)).toEqual(TRAINING);
  });
});
