/** Tables in CSV (RFC 4180, and what papaparse reads besides) as typed arrays. */
import Papa from 'papaparse';
import { DataError, type Only } from '../errors.ts';
import {
  checkCsvOptions,
  nameOf,
  RowReader,
  type CsvOptions,
  type MissingCell,
  type Target,
} from './csv-columns.ts';
import { RecordSplitter } from './csv-records.ts';
import type { NumberArray } from './dataset.ts';

type Reals<Options extends CsvOptions> = Options extends { readonly dtype: 'f64' }
  ? Float64Array
  : Float32Array;

/** The arrays that these options ask for, by name. */
export type CsvData<Options extends CsvOptions> = {
  readonly [name in keyof Options['reals'] & string]: Reals<Options>;
} & {
  readonly [name in (keyof Options['integers'] | keyof Options['categories']) & string]: Int32Array;
};

export interface CsvTable<Options extends CsvOptions> {
  /** Rows that were read, without those left out. */
  readonly rows: number;
  /** The names of the file's columns. */
  readonly header: readonly string[];
  readonly data: CsvData<Options>;
  /** Of each array of categories: the words, by their numbers. */
  readonly tables: { readonly [name in keyof Options['categories'] & string]: readonly string[] };
  /** Where rows with missing values were left out: these values, up to the limit, */
  readonly missing: readonly MissingCell[];
  /** and how many there were. */
  readonly missingCount: number;
}

/**
 * Reads a whole table:
 *
 *     readCsv(text, { reals: { x: ['sepal_length', 'sepal_width'] }, categories: { species: 'species' } })
 *
 * gives `data.x` (Float32Array, row by row), `data.species` (Int32Array) and `tables.species`.
 * @throws DataError that lists every missing or unfit value by row, line and column, up to the limit
 */
export function readCsv<const Options extends CsvOptions>(
  text: string,
  options: Only<CsvOptions, Options>,
): CsvTable<Options> {
  checkCsvOptions(options);
  const cursor = new Cursor(options);
  const numbers: number[] = [];
  let columns: Growing[] = [];
  let rows = 0;
  for (const record of parse(text, options.delimiter, options).records) {
    if (!cursor.next(record, numbers)) continue;
    const { targets } = cursor.reader!;
    if (rows === 0) columns = targets.map((target) => new Growing(target, options));
    let from = 0;
    for (const [k, target] of targets.entries()) {
      for (let i = 0; i < target.columns.length; i++) columns[k]!.push(numbers[from++]!);
    }
    rows++;
  }
  const reader = cursor.finish();
  if (rows === 0)
    throw new DataError(
      `${nameOf(options)} has no row${reader.missingCount > 0 ? ' without a missing value' : ''}`,
    );
  const { targets, missing, missingCount } = reader;
  const tables: Record<string, readonly string[]> = {};
  for (const { name, words } of targets) if (words !== undefined) tables[name] = words.table;
  return {
    rows,
    header: cursor.header!,
    data: Object.fromEntries(targets.map(({ name }, k) => [name, columns[k]!.finish()])) as CsvData<Options>,
    tables: tables as CsvTable<Options>['tables'],
    missing,
    missingCount,
  };
}

/**
 * Reads a table that need not fit in memory, from its text in pieces of any size: a file's stream, or
 * `response.body.pipeThrough(new TextDecoderStream())`. Each row is an object like the table's, with the numbers of that row
 * alone; `batches` puts them together. Categories need their table said beforehand.
 * @throws DataError at the first piece in which something is missing or unfit (rows before it have been given)
 */
export async function* streamCsv<const Options extends CsvOptions>(
  pieces: AsyncIterable<string> | Iterable<string>,
  options: Only<CsvOptions, Options>,
): AsyncGenerator<CsvData<Options>, void, undefined> {
  checkCsvOptions(options);
  for (const [name, choice] of Object.entries(options.categories ?? {})) {
    if (typeof choice === 'string' || choice.table === undefined)
      throw new DataError(`${nameOf(options)}: the table of '${name}' must be given to read it as a stream`);
  }
  const cursor = new Cursor(options);
  let { delimiter } = options;
  const splitter = new RecordSplitter();
  const numbers: number[] = [];
  function* rowsOf(text: string): Generator<CsvData<Options>> {
    if (text === '') return;
    const parsed = parse(text, delimiter, options, splitter.newline);
    delimiter ??= parsed.delimiter;
    for (const record of parsed.records) {
      if (cursor.next(record, numbers)) yield rowObject(cursor.reader!.targets, numbers, options);
    }
    cursor.reader?.finish();
  }
  for await (const piece of pieces) {
    yield* rowsOf(splitter.take(piece, delimiter));
  }
  yield* rowsOf(splitter.rest);
  cursor.finish();
}

function rowObject<Options extends CsvOptions>(
  targets: readonly Target[],
  numbers: readonly number[],
  options: Options,
): CsvData<Options> {
  const row: Record<string, NumberArray> = {};
  let from = 0;
  for (const target of targets) {
    const values = new (typeOf(target, options))(target.columns.length);
    for (let i = 0; i < values.length; i++) values[i] = numbers[from++]!;
    row[target.name] = values;
  }
  return row as CsvData<Options>;
}

/** The records of a text, and what divides their cells. @throws DataError where a quote is not closed */
function parse(
  text: string,
  given: string | undefined,
  options: CsvOptions,
  newline?: '\n' | '\r',
): { readonly records: readonly string[][]; readonly delimiter: string } {
  // papaparse guesses from the first ten records, blank lines among them unless they are skipped
  const delimiter = given ?? Papa.parse(text, { preview: 10, skipEmptyLines: 'greedy' }).meta.delimiter;
  const { data, errors } = Papa.parse<string[]>(text, { delimiter, ...(newline && { newline }) });
  const wrong = errors.find(({ type }) => type === 'Quotes');
  if (wrong !== undefined)
    throw new DataError(`${nameOf(options)} is not CSV: ${wrong.message}, in record ${wrong.row ?? 0}`);
  const last = data.at(-1);
  if (last?.length === 1 && last[0] === '') data.pop(); // after the last line's end
  return { records: data, delimiter };
}

/** Goes from record to record: header, rows, blank lines; knows the place in the file. */
class Cursor {
  header: readonly string[] | undefined;
  reader: RowReader | undefined;
  private readonly options: CsvOptions;
  private row = 0;
  private line = 1;

  constructor(options: CsvOptions) {
    this.options = options;
    if (options.header !== undefined) this.begin(options.header);
  }

  /** @returns whether the record is a row, whose numbers are now in `into` */
  next(record: readonly string[], into: number[]): boolean {
    const { line } = this;
    this.line++;
    for (const cell of record) if (cell.includes('\n')) this.line += cell.split('\n').length - 1;
    if (record.length === 1 && record[0]!.trim() === '') return false;
    if (this.reader === undefined) {
      this.begin(record.map((name) => name.trim()));
      return false;
    }
    return this.reader.read(record, this.row++, line, into);
  }

  /** @throws DataError where there was no header, or anything was wrong */
  finish(): RowReader {
    if (this.reader === undefined) throw new DataError(`${nameOf(this.options)} has no header line`);
    this.reader.finish();
    return this.reader;
  }

  private begin(header: readonly string[]): void {
    this.header = header;
    this.reader = new RowReader(header, this.options);
  }
}

type ColumnType = Float32ArrayConstructor | Float64ArrayConstructor | Int32ArrayConstructor;

function typeOf({ kind }: Target, { dtype = 'f32' }: CsvOptions): ColumnType {
  if (kind !== 'real') return Int32Array;
  return dtype === 'f64' ? Float64Array : Float32Array;
}

/** A typed array that grows. */
class Growing {
  private readonly type: ColumnType;
  private values: NumberArray;
  private length = 0;

  constructor(target: Target, options: CsvOptions) {
    this.type = typeOf(target, options);
    this.values = new this.type(1024);
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new this.type(2 * this.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  finish(): NumberArray {
    return this.values.slice(0, this.length);
  }
}
