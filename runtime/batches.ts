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
  /** The epoch is over. */
  end(position: Position): void;
  close(): void | Promise<void>;
}

export function isStream(data: unknown): data is StreamSource<Data> {
  if (typeof data === 'function') return true;
  return (
    typeof data === 'object' && data !== null && (Symbol.iterator in data || Symbol.asyncIterator in data)
  );
}

/** Rows from .. to-1 of arrays, `limit` of them at most. Data are checked already. */
export class ArrayBatches implements BatchSource {
  readonly rows: number;
  readonly batches: number;
  private readonly engine: Engine;
  private readonly data: Data;
  private readonly from: number;
  private readonly batchSize: number;
  private readonly order: Uint32Array | undefined;
  private seen = 0;

  constructor(
    engine: Engine,
    data: Data,
    [from, to]: readonly [number, number],
    options: { readonly batchSize: number; readonly shuffle: boolean; readonly limit: number },
  ) {
    this.engine = engine;
    this.data = data;
    this.from = from;
    this.batchSize = options.batchSize;
    this.rows = Math.min(to - from, options.limit * options.batchSize);
    this.batches = Math.ceil(this.rows / options.batchSize);
    this.order = options.shuffle ? new Uint32Array(to - from) : undefined;
  }

  /** The order of an epoch depends on the seed and the number of the epoch alone. */
  begin(position: Position): void {
    const { order, from, engine } = this;
    this.seen = position.rows;
    if (order === undefined) return;
    for (let row = 0; row < order.length; row++) order[row] = from + row;
    new Random(engine.seed, `shuffle ${engine.epoch}`).shuffle(order);
  }

  stage(): number {
    const { engine, data, order, seen } = this;
    const count = Math.min(this.batchSize, this.rows - seen);
    if (count === 0) return 0;
    const start = order === undefined ? this.from + seen : seen;
    stageRows(engine.program, engine.description.inputs, data, order, start, count);
    this.seen += count;
    return count;
  }

  /** These rows, where nothing is shuffled. */
  get part(): Data {
    const { engine, data, from, rows } = this;
    return sliceRows(engine.description.inputs, data, from, from + rows);
  }

  note(): void {}
  end(): void {}
  close(): void {}
}

type BatchIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** The batches of a stream: an epoch is a pass over it or, where `goesOn`, so many batches of one pass after another. */
export class StreamBatches implements BatchSource {
  readonly rows = undefined;
  readonly batches: number | undefined;
  private readonly engine: Engine;
  private readonly source: StreamSource<Data>;
  private readonly limit: number;
  private readonly goesOn: boolean;
  private readonly accumulate: number;
  private iterator: BatchIterator | undefined;
  private pass = 0;
  /** Batches of this pass, and of this epoch. */
  private taken = 0;
  private inEpoch = 0;

  constructor(
    engine: Engine,
    source: StreamSource<Data>,
    options: { readonly limit: number; readonly goesOn: boolean; readonly accumulate: number },
  ) {
    this.engine = engine;
    this.source = source;
    this.limit = options.limit;
    this.goesOn = options.goesOn;
    this.accumulate = options.accumulate;
    this.batches = options.goesOn ? options.limit : undefined;
  }

  async begin(position: Position): Promise<void> {
    this.inEpoch = position.steps * this.accumulate;
    if (this.iterator !== undefined) return;
    this.pass = position.pass;
    this.taken = 0;
    this.iterator = iteratorOf(this.source, this.pass);
    while (this.taken < position.batches) {
      if ((await this.iterator.next()).done === true)
        throw new DataError(
          `to resume, ${position.batches} batches have to be skipped, but the data ended after ${this.taken}`,
        );
      this.taken++;
    }
  }

  async stage(): Promise<number> {
    if (this.inEpoch >= this.limit) return 0;
    let item = await this.iterator!.next();
    if (item.done === true && this.goesOn && !isOwnIterator(this.source)) {
      this.pass++;
      this.taken = 0;
      this.iterator = iteratorOf(this.source, this.pass);
      item = await this.iterator.next();
    }
    if (item.done === true) {
      if (this.taken > 0 && !this.goesOn) return 0;
      throw new DataError(
        `the data ended after ${this.taken} batches of pass ${this.pass + 1}; give a function that makes them anew for every pass`,
      );
    }
    const { program, description } = this.engine;
    const batch = item.value as Data;
    const rows = checkBatch(this.engine, batch);
    stageRows(program, description.inputs, batch, undefined, 0, rows);
    this.taken++;
    this.inEpoch++;
    return rows;
  }

  note(position: Position): void {
    position.pass = this.pass;
    position.batches = this.taken;
  }

  end(position: Position): void {
    if (this.goesOn) return;
    this.iterator = undefined;
    position.pass = this.pass + 1;
    position.batches = 0;
  }

  /** A stream that is not read to its end is told so, as `for ... of` does. */
  async close(): Promise<void> {
    if (!isOwnIterator(this.source)) await this.iterator?.return?.();
    this.iterator = undefined;
  }
}

/** Checks a batch; gives its rows. @throws DataError */
export function checkBatch({ program, description }: Engine, data: Data): number {
  const rows = checkData(description.inputs, data);
  if (rows > program.batch) {
    throw new DataError(
      `a batch has at most ${program.batch} rows here, found ${rows}; give createTrainer a larger batch`,
    );
  }
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
