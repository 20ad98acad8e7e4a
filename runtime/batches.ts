/** Where the batches of an epoch come from: rows of arrays that are in memory, or a stream of batches. */
import { DataError } from './errors.ts';
import { checkData, sliceRows, stageRows, type Data } from './ports.ts';
import type { Engine } from './engine.ts';
import { Random } from './random.ts';
import type { Position } from './session.ts';

/** Batches one after another, each with at most the trainer's batch of rows. */
export type BatchStream<Inputs> = Iterable<Inputs> | AsyncIterable<Inputs>;
/**
 * A stream, or a function that makes it anew for every pass (counted from 0), so that it may be in another order each time.
 * What can be read once only (a generator) serves for one pass.
 */
export type StreamSource<Inputs> = BatchStream<Inputs> | ((pass: number) => BatchStream<Inputs>);

export interface BatchSource {
  /** Rows and batches of an epoch, where they are known. */
  readonly rows: number | undefined;
  readonly batches: number | undefined;
  /** Goes to a place in the epoch. */
  begin(position: Position): void | Promise<void>;
  /** Puts the next batch into the program's inputs; gives its rows, or 0 where the epoch is over. */
  stage(): number | Promise<number>;
  /** Notes what has been taken: after a whole step. */
  note(position: Position): void;
  /** The epoch is over. What throws leaves the position as it was. */
  end(position: Position): void | Promise<void>;
  close(): void | Promise<void>;
  /** All of its rows as arrays, where nothing is shuffled. */
  part?(): Data;
}

export function isStream(data: unknown): data is StreamSource<Data> {
  if (typeof data === 'function') return true;
  return (
    typeof data === 'object' && data !== null && (Symbol.iterator in data || Symbol.asyncIterator in data)
  );
}

/** Rows from .. to-1 of arrays, `limit` batches of them at most. Data are checked already. */
export function arrayBatches(
  engine: Engine,
  data: Data,
  [from, to]: readonly [number, number],
  batchSize: number,
  shuffle: boolean,
  limit: number,
): BatchSource {
  const { inputs } = engine.description;
  const rows = Math.min(to - from, limit * batchSize);
  const order = shuffle ? new Uint32Array(to - from) : undefined;
  let seen = 0;
  return {
    rows,
    batches: Math.ceil(rows / batchSize),

    /** The order of an epoch depends on the seed and the number of the epoch alone. */
    begin(position) {
      seen = position.rows;
      if (order === undefined) return;
      for (let row = 0; row < order.length; row++) order[row] = from + row;
      new Random(engine.seed, `shuffle ${engine.epoch}`).shuffle(order);
    },

    stage() {
      const count = Math.min(batchSize, rows - seen);
      if (count > 0) stageRows(engine.program, inputs, data, order, order ? seen : from + seen, count);
      seen += count;
      return count;
    },

    part: () => sliceRows(inputs, data, from, from + rows),
    note() {},
    end() {},
    close() {},
  };
}

type BatchIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** The batches of a stream: an epoch is a pass over it or, where it `goesOn`, so many batches of one pass after another. */
export function streamBatches(
  engine: Engine,
  stream: StreamSource<Data>,
  limit: number,
  goesOn: boolean,
  accumulate: number,
): BatchSource {
  let iterator: BatchIterator | undefined;
  /** The iterator has more to give, as far as is known. */
  let isOpen = false;
  let pass = 0;
  /** Batches of this pass, and of this epoch. */
  let taken = 0;
  let inEpoch = 0;
  const next = async (): Promise<IteratorResult<unknown>> => {
    iterator ??= iteratorOf(stream, pass);
    isOpen = false;
    const item = await iterator.next();
    isOpen = !item.done;
    if (isOpen) taken++;
    return item;
  };
  /** A stream that is not read to its end is told so, as `for ... of` does. */
  const close = async (): Promise<void> => {
    const left = iterator;
    iterator = undefined;
    if (isOpen && !isOwnIterator(stream)) await left?.return?.();
  };
  const turn = (to: number): void => {
    iterator = undefined;
    pass = to;
    taken = 0;
  };
  return {
    rows: undefined,
    batches: goesOn ? limit : undefined,

    async begin(position) {
      inEpoch = position.steps * accumulate;
      if (iterator) return;
      turn(position.pass);
      while (taken < position.batches)
        if ((await next()).done)
          throw new DataError(
            `to resume, the data must have ${position.batches} batches to skip, found ${taken}`,
          );
    },

    async stage() {
      if (inEpoch >= limit) return 0;
      let item = await next();
      if (item.done && goesOn && !isOwnIterator(stream)) {
        turn(pass + 1);
        item = await next();
      }
      if (item.done) {
        if (taken > 0 && !goesOn) return 0;
        throw new DataError(
          `the data ended after ${taken} batches of pass ${pass + 1}; give a function that makes them anew for every pass`,
        );
      }
      const batch = item.value as Data;
      const rows = stageBatch(engine, batch);
      inEpoch++;
      return rows;
    },

    note(position) {
      position.pass = pass;
      position.batches = taken;
    },

    async end(position) {
      if (goesOn) return;
      await close();
      position.pass = pass + 1;
      position.batches = 0;
    },

    close,
  };
}

/** Checks a batch and puts it into the program's inputs; gives its rows. @throws DataError */
export function stageBatch({ program, description }: Engine, data: Data): number {
  const rows = checkData(description.inputs, data);
  if (rows > program.batch)
    throw new DataError(
      `a batch has at most ${program.batch} rows here, found ${rows}; give createTrainer a larger batch`,
    );
  stageRows(program, description.inputs, data, undefined, 0, rows);
  return rows;
}

/** Whether it can be gone through a single time: a generator is its own iterator. */
export function isOwnIterator(source: StreamSource<Data>): boolean {
  return typeof source !== 'function' && 'next' in source;
}

function iteratorOf(source: StreamSource<Data>, pass: number): BatchIterator {
  const stream = typeof source === 'function' ? source(pass) : source;
  if (!isStream(stream) || typeof stream === 'function')
    throw new DataError('the function given as data must make an iterable of batches');
  return Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
}
