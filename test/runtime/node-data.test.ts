/** The readers for files, on real files; and data larger than the memory that holds them, a batch at a time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { batches, DataError, shuffled } from 'chainrule/data';
import {
  readCsvFile,
  readIdxFile,
  readNpyFile,
  readNpzFile,
  readPngFile,
  readPngFiles,
  streamCsvFile,
} from 'chainrule/node';
import { writeNpy, writeNpz } from 'chainrule/formats';

const examples = new URL('../../examples/', import.meta.url);
const iris = new URL('iris/data/iris.csv', examples);
const digits = (name: string): URL => new URL(`digits/data/${name}-ubyte.gz`, examples);
const folder = mkdtempSync(join(tmpdir(), 'chainrule-data-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('files are read', () => {
  it('of CSV, by URL or path', () => {
    const options = {
      reals: { x: /_(length|width)$/ },
      categories: { species: 'species' },
    } as const;
    const { rows, data, tables } = readCsvFile(iris, options);
    expect(rows).toBe(150);
    expect(data.x).toHaveLength(600);
    expect(tables.species).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(readCsvFile(fileURLToPath(iris), options).data).toEqual(data);
  });

  it('of IDX, gzipped', () => {
    const images = readIdxFile(digits('t10k-images-idx3'));
    const { shape, data } = readIdxFile(digits('t10k-labels-idx1'));
    expect(images.shape).toEqual([2000, 28, 28]);
    expect(shape).toEqual([2000]);
    expect(new Set(data).size).toBe(10);
  });

  it('of NumPy', () => {
    const path = join(folder, 'x.npy');
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    writeFileSync(path, writeNpy(data, [2, 3]));
    expect(readNpyFile(path)).toEqual({ shape: [2, 3], data });
    writeFileSync(join(folder, 'x.npz'), writeNpz({ x: { shape: [2, 3], data } }));
    expect(readNpzFile(join(folder, 'x.npz'))).toEqual({ x: { shape: [2, 3], data } });
  });

  it('of PNG, one or many as rows', () => {
    const cases = JSON.parse(
      readFileSync(new URL('fixtures/images.json', import.meta.url), 'utf8'),
    ) as readonly { readonly file: string }[];
    const paths = [0, 1].map((k) => join(folder, `${k}.png`));
    for (const [k, path] of paths.entries()) writeFileSync(path, Buffer.from(cases[k]!.file, 'base64'));
    expect(readPngFile(paths[0]!).shape).toEqual([3, 5, 1]);
    expect(readPngFiles(paths, { channels: 3 }).shape).toEqual([2, 3, 5, 3]);
  });
});

it('messages name the file', () => {
  const path = join(folder, 'wrong.csv');
  writeFileSync(path, 'a\n1\nx\n');
  expect(() => readCsvFile(path, { reals: { a: 'a' } })).toThrow(DataError);
  expect(() => readCsvFile(path, { reals: { a: 'a' } })).toThrow('wrong.csv: one thing is wrong');
  expect(() => readIdxFile(path)).toThrow('wrong.csv is not an IDX file');
  expect(() => readNpyFile(path)).toThrow('wrong.csv is not a .npy file');
  expect(() => readPngFile(path)).toThrow('wrong.csv is not a PNG file');
  expect(() => readCsvFile(join(folder, 'none.csv'), { reals: { a: 'a' } })).toThrow('ENOENT');
});

describe('a file as a stream', () => {
  const table = ['even', 'odd'];
  const options = { reals: { x: 'n' }, categories: { kind: { column: 'kind', table } } } as const;
  const rows = 50_000;
  const path = join(folder, 'large.csv');
  writeFileSync(
    path,
    `n,kind\n${Array.from({ length: rows }, (_, n) => `${n},${n % 2 === 0 ? 'even' : 'odd'}\n`).join('')}`,
  );

  it('comes row by row, mixed, in batches', async () => {
    let seen = 0;
    let sum = 0;
    let mixed = false;
    for await (const { x, kind } of batches(
      shuffled(streamCsvFile(path, options), { buffer: 500, seed: 1 }),
      64,
    )) {
      expect(x).toBeInstanceOf(Float32Array);
      for (const [row, n] of x.entries()) {
        if (kind[row] !== n % 2) throw new Error(`row ${n} was torn apart`);
        mixed ||= n !== seen + row;
        sum += n;
      }
      seen += x.length;
    }
    expect(seen).toBe(rows);
    expect(sum).toBe((rows * (rows - 1)) / 2);
    expect(mixed).toBe(true);
  });

  it('is closed when it is left', async () => {
    const stream = streamCsvFile(path, options);
    for await (const { x } of stream) {
      expect(x[0]).toBe(0);
      break;
    }
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('that is not there is an error', async () => {
    await expect(streamCsvFile(join(folder, 'none.csv'), options).next()).rejects.toThrow('ENOENT');
  });
});
