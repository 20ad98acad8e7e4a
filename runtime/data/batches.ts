/** Data larger than memory: rows from any (async) iterator, in random order, gathered into batches. */
import { DataError } from '../errors.ts';
import { Random } from '../random.ts';
import { emptyLike, type Dataset, type NumberArray } from './dataset.ts';

type Source<Row> = AsyncIterable<Row> | Iterable<Row>;

/**
 * Puts rows (objects of typed arrays, each with the numbers of one row) together into batches of `size`: arrays of the same
 * names and types, row after row. The last batch may be smaller.
 *
 *     for await (const batch of batches(rows, 64)) trainer.trainOnBatch(batch);
 *
 * @throws DataError that names the row whose arrays are not as those of the first row
 */
export async function* batches<Row extends Dataset>(
  rows: Source<Row>,
  size: number,
  options: { readonly dropLast?: boolean } = {},
): AsyncGenerator<Row, void, undefined> {
  checkCount('size', size);
  let first: Row | undefined;
  let held: Row[] = [];
  let seen = 0;
  for await (const row of rows) {
    first ??= row;
    checkLike(row, first, seen++);
    held.push(row);
    if (held.length === size) {
      yield concatenate(held);
      held = [];
    }
  }
  if (held.length > 0 && options.dropLast !== true) yield concatenate(held);
}

/**
 * The rows in an order that the seed decides, as far as a buffer of `buffer` rows can mix them: each row that comes takes the
 * place of one of the buffer, drawn at random, which goes. A buffer of all rows shuffles wholly.
 */
export async function* shuffled<Row>(
  rows: Source<Row>,
  options: { readonly buffer: number; readonly seed?: number },
): AsyncGenerator<Row, void, undefined> {
  const { buffer, seed = 0 } = options;
  checkCount('buffer', buffer);
  const random = new Random(seed, 'shuffle buffer');
  const held: Row[] = [];
  for await (const row of rows) {
    if (held.length < buffer) {
      held.push(row);
      continue;
    }
    const place = random.integer(buffer);
    yield held[place]!;
    held[place] = row;
  }
  const order = Uint32Array.from(held.keys());
  random.shuffle(order);
  for (const place of order) yield held[place]!;
}

/** Datasets put end to end. */
function concatenate<Row extends Dataset>(rows: readonly Row[]): Row {
  const result: Record<string, NumberArray> = {};
  for (const [name, first] of Object.entries(rows[0]!)) {
    const joined = emptyLike(
      first,
      rows.reduce((length, row) => length + row[name]!.length, 0),
    );
    let from = 0;
    for (const row of rows) {
      joined.set(row[name]!, from);
      from += row[name]!.length;
    }
    result[name] = joined;
  }
  return result as Row; // the same names, the same type of array under each
}

function checkLike(row: Dataset, first: Dataset, place: number): void {
  for (const [name, values] of Object.entries(first)) {
    const own = row[name];
    if (!ArrayBuffer.isView(own)) throw new DataError(`row ${place}: '${name}' is no typed array`);
    if (own.length !== values.length || own.constructor !== values.constructor) {
      throw new DataError(
        `row ${place}: '${name}' is ${describe(own)}, but in row 0 it is ${describe(values)}`,
      );
    }
  }
  const extra = Object.keys(row).find((name) => !Object.hasOwn(first, name));
  if (extra !== undefined) throw new DataError(`row ${place} has '${extra}', which row 0 has not`);
}

const describe = (values: NumberArray): string => `${values.constructor.name} of ${values.length}`;

function checkCount(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new DataError(`${name} must be a whole number from 1, found ${count}`);
}
