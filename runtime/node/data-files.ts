/** The readers of `chainrule/data` for files. Messages name the file; a file that is not there is the system's own error. */
import { createReadStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Only } from '../errors.ts';
import { readCsv, streamCsv, type CsvData, type CsvTable } from '../data/csv.ts';
import type { CsvOptions } from '../data/csv-columns.ts';
import { readIdx, type IdxArray } from '../data/idx.ts';
import { readPng, stackImages, type Image, type ImageOptions } from '../data/image.ts';
import { readNpy } from '../formats/npy.ts';
import { readNpz } from '../formats/npz.ts';
import type { Tensor, Tensors } from '../formats/tensor.ts';
import type { FilePath } from './disk.ts';

const nameOf = (path: FilePath): string => basename(path instanceof URL ? fileURLToPath(path) : path);

/** `readCsv` of a file in UTF-8. @throws DataError */
export function readCsvFile<const Options extends CsvOptions>(
  path: FilePath,
  options: Only<CsvOptions, Options>,
): CsvTable<Options> {
  return readCsv(readFileSync(path, 'utf8'), { name: nameOf(path), ...options });
}

/** `streamCsv` of a file in UTF-8, of which a piece at a time is in memory. @throws DataError */
export function streamCsvFile<const Options extends CsvOptions>(
  path: FilePath,
  options: Only<CsvOptions, Options>,
): AsyncGenerator<CsvData<Options>, void, undefined> {
  return streamCsv<Options>(createReadStream(path, 'utf8'), { name: nameOf(path), ...options });
}

/** `readIdx` of a file, gzipped or not. @throws DataError */
export function readIdxFile(path: FilePath): IdxArray {
  return readIdx(readFileSync(path), nameOf(path));
}

/** `readNpy` of a file: shape and numbers. @throws DataError */
export function readNpyFile(path: FilePath): Tensor {
  return readNpy(readFileSync(path), nameOf(path));
}

/** `readNpz` of a file: tensors by name. @throws DataError */
export function readNpzFile(path: FilePath): Tensors {
  return readNpz(readFileSync(path), nameOf(path));
}

/** `readPng` of a file. @throws DataError */
export function readPngFile(path: FilePath, options: ImageOptions = {}): Image {
  return readPng(readFileSync(path), { name: nameOf(path), ...options });
}

/** Files of images of one shape as rows, [images, height, width, channels]. @throws DataError */
export function readPngFiles(
  paths: readonly FilePath[],
  options: ImageOptions = {},
): ReturnType<typeof stackImages> {
  return stackImages(paths.map((path) => readPngFile(path, options)));
}
