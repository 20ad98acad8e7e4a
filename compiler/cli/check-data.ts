/** Data files for a check: arrays by the names of inputs. */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { GivenData, Ragged } from '../check/index.ts';
import { DataError } from '../../runtime/errors.ts';
import { readCsv } from '../../runtime/data/csv.ts';
import { failIn } from '../../runtime/formats/tensor.ts';
import { isRecord, parseJson } from '../../runtime/formats/json.ts';
import { readNpz } from '../../runtime/formats/npz.ts';
import { readSafetensors } from '../../runtime/formats/safetensors.ts';
import type { Tensors } from '../../runtime/formats/tensor.ts';
import { reason } from './files.ts';
import { FileError, UsageError } from './options.ts';

type Reader = (bytes: Uint8Array, name: string) => Omit<GivenData, 'name'>;

/** By the end of the file's name. */
const readers: Readonly<Record<string, Reader>> = {
  '.csv': readTable,
  '.json': readArrays,
  '.npz': (bytes, name) => flat(readNpz(bytes, name)),
  '.safetensors': (bytes, name) => flat(readSafetensors(bytes, name)),
};

/**
 * Reads a file of data.
 * @throws UsageError for a kind of file that is not read, FileError where there is none, DataError for what stands in it
 */
export function readData(path: string): GivenData {
  const reader = readers[extname(path).toLowerCase()];
  if (reader === undefined)
    throw new UsageError(`--data reads ${Object.keys(readers).join(', ')}, not '${basename(path)}'`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new FileError(`cannot read ${path}: ${reason(error)}`);
  }
  const name = basename(path);
  return { name, ...reader(bytes, name) };
}

function flat(tensors: Tensors): Omit<GivenData, 'name'> {
  const all = Object.entries(tensors);
  return {
    arrays: Object.fromEntries(all.map(([name, { data }]) => [name, data])),
    shapes: Object.fromEntries(all.map(([name, { shape }]) => [name, shape])),
  };
}

/** How deep arrays may lie in each other. */
const DEEPEST = 32;

/** `{ "x": [[0, 1], [1, 1]], "y": [0, 1] }`: nested or flat, row by row. */
function readArrays(bytes: Uint8Array, name: string): Omit<GivenData, 'name'> {
  const fail = failIn(name);
  const given = parseJson(bytes, DEEPEST, fail);
  if (!isRecord(given)) return fail('expected an object with an array for each input');
  const shapes: Record<string, readonly number[] | Ragged> = {};
  const arrays = Object.entries(given).map(([input, values]) => {
    shapes[input] = shapeOf(values, input);
    const numbers = [values].flat(DEEPEST);
    return [
      input,
      numbers.map((value) =>
        typeof value === 'number'
          ? value
          : fail(`'${input}' holds ${JSON.stringify(value)}, which is no number`),
      ),
    ] as const;
  });
  return { arrays: Object.fromEntries(arrays), shapes };
}

/** Of arrays in arrays, all as long as their neighbours. */
function shapeOf(values: unknown, name: string): readonly number[] | Ragged {
  if (!Array.isArray(values)) return [];
  let first: readonly number[] = [];
  for (const [k, value] of values.entries()) {
    const shape = shapeOf(value, `${name}[${k}]`);
    if ('ragged' in shape) return shape;
    if (k === 0) first = shape;
    else if (shape.join() !== first.join())
      return { ragged: `${name}[${k}] has ${holds(shape)}, ${name}[0] has ${holds(first)}` };
  }
  return [values.length, ...first];
}

const holds = (shape: readonly number[]): string =>
  shape.length === 0
    ? 'a single number'
    : shape.length === 1
      ? `${shape[0]} number${shape[0] === 1 ? '' : 's'}`
      : `the shape [${shape.join(', ')}]`;

/** A column `y` is the input y; columns `x[0]`, `x[1]`, ... are the elements of a row of x, in this order. */
function readTable(bytes: Uint8Array, name: string): Omit<GivenData, 'name'> {
  const text = new TextDecoder().decode(bytes);
  const header = text.split(/\r?\n/, 1)[0] ?? '';
  const columns = header.split(',').map((column) => column.trim().replaceAll('"', ''));
  const inputs = new Map<string, string[]>();
  for (const column of columns) {
    const input = column.replace(/\[[\d\s]+\]$/, '');
    inputs.set(input, [...(inputs.get(input) ?? []), column]);
  }
  const { data } = readCsv(text, { reals: Object.fromEntries(inputs), dtype: 'f64', name });
  const shapes = [...inputs].map(([input, { length }]) => {
    const rows = (data[input]?.length ?? 0) / length;
    return [input, [rows, length]] as const;
  });
  return { arrays: data, shapes: Object.fromEntries(shapes) };
}

export { DataError };
