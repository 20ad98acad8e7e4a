/** Which columns of a CSV file become which arrays, and how a cell becomes a number. Shared by the reader and the stream. */
import { checkOptionNames, DataError, type OptionNames } from '../errors.ts';

/** A column by its name; several by a list of names, or by a pattern that their names match (in the file's order). */
export type ColumnChoice = string | readonly string[] | RegExp;

export interface CategoryChoice {
  readonly column: string;
  /** The words, numbered by their places. Without it they are numbered in the order of their first appearance. */
  readonly table?: readonly string[];
}

export interface CsvOptions {
  /** Arrays of real numbers, by name: columns side by side, row after row. */
  readonly reals?: Readonly<Record<string, ColumnChoice>>;
  /** Arrays of whole numbers. */
  readonly integers?: Readonly<Record<string, ColumnChoice>>;
  /** Arrays of words as numbers, one column each. */
  readonly categories?: Readonly<Record<string, string | CategoryChoice>>;
  /** Of real numbers: float32 (by default) or float64. */
  readonly dtype?: 'f32' | 'f64';
  /** The columns' names, where the file has no header line. */
  readonly header?: readonly string[];
  /** Found out from the first lines by default. */
  readonly delimiter?: string;
  /**
   * Cells that stand for a missing value, blanks around them taken away: by default an empty one, NA, N/A, NaN, nan, null and ?.
   */
  readonly missing?: readonly string[];
  /** What becomes of a row where a value is missing: an error (by default), or it is left out. */
  readonly onMissing?: 'error' | 'skip';
  /** How many wrong cells an error lists, and how many missing ones a table; 20 by default. */
  readonly limit?: number;
  /** What messages call the file. */
  readonly name?: string;
}

const CATEGORY_OPTIONS: OptionNames<CategoryChoice> = { column: true, table: true };
const CSV_OPTIONS: OptionNames<CsvOptions> = {
  reals: true,
  integers: true,
  categories: true,
  dtype: true,
  header: true,
  delimiter: true,
  missing: true,
  onMissing: true,
  limit: true,
  name: true,
};

/** @throws DataError where an option is unknown, or one of a category */
export function checkCsvOptions(options: CsvOptions): void {
  const file = nameOf(options);
  checkOptionNames(`${file}: a table`, CSV_OPTIONS, options);
  for (const [name, choice] of Object.entries(options.categories ?? {}))
    if (typeof choice === 'object') checkOptionNames(`${file}: category '${name}'`, CATEGORY_OPTIONS, choice);
}

/** A cell without a value. `row` counts the rows of data from 0, `line` the lines of the file from 1. */
export interface MissingCell {
  readonly row: number;
  readonly line: number;
  readonly column: string;
}

export type CellKind = 'real' | 'integer' | 'category';

/** One array to be made. */
export interface Target {
  readonly name: string;
  readonly kind: CellKind;
  readonly columns: readonly { readonly name: string; readonly place: number }[];
  /** Of a category. */
  readonly words?: Words;
}

/** Words and their numbers. */
export class Words {
  readonly table: string[];
  private readonly numbers: Map<string, number>;
  private readonly open: boolean;

  constructor(table: readonly string[] | undefined) {
    this.table = [...(table ?? [])];
    this.numbers = new Map(this.table.map((word, number) => [word, number]));
    this.open = table === undefined;
  }

  has(word: string): boolean {
    return this.open || this.numbers.has(word);
  }

  /** The word's number; a new one, where there is no given table. */
  numberOf(word: string): number {
    const known = this.numbers.get(word);
    if (known !== undefined) return known;
    this.numbers.set(word, this.table.length);
    return this.table.push(word) - 1;
  }
}

const MISSING = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', '?'];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The arrays to be made of a file with this header. @throws DataError for a column that is not there, or there twice */
export function targetsOf(header: readonly string[], options: CsvOptions): Target[] {
  const file = nameOf(options);
  const find = (name: string): { readonly name: string; readonly place: number } => {
    const place = header.indexOf(name);
    if (place < 0) throw new DataError(`${file} has no column '${name}'; its columns are ${listOf(header)}`);
    if (header.includes(name, place + 1)) throw new DataError(`${file} has two columns '${name}'`);
    return { name, place };
  };
  const choose = (choice: ColumnChoice, name: string): Target['columns'] => {
    const names =
      choice instanceof RegExp
        ? header.filter((name) => name.search(choice) >= 0)
        : typeof choice === 'string'
          ? [choice]
          : choice;
    if (names.length === 0) throw new DataError(`${file} has no column for '${name}': ${String(choice)}`);
    return names.map(find);
  };
  const numbers = (
    kind: 'real' | 'integer',
    choices: Readonly<Record<string, ColumnChoice>> = {},
  ): Target[] =>
    Object.entries(choices).map(([name, choice]) => ({ name, kind, columns: choose(choice, name) }));
  const categories = Object.entries(options.categories ?? {}).map(([name, choice]): Target => {
    const { column, table } = typeof choice === 'string' ? { column: choice } : choice;
    return { name, kind: 'category', columns: [find(column)], words: new Words(table) };
  });
  const targets = [...numbers('real', options.reals), ...numbers('integer', options.integers), ...categories];
  if (targets.length === 0)
    throw new DataError(`${file}: no column is asked for; say reals, integers or categories`);
  const names = targets.map(({ name }) => name);
  const twice = names.find((name, place) => names.includes(name, place + 1));
  if (twice !== undefined) throw new DataError(`${file}: two arrays are named '${twice}'`);
  return targets;
}

export function nameOf(options: CsvOptions): string {
  return options.name ?? 'the CSV text';
}

/** Reads the cells of one row after another, and remembers what is wrong with them. */
export class RowReader {
  readonly targets: readonly Target[];
  /** Cells without a value, up to the limit. */
  readonly missing: MissingCell[] = [];
  missingCount = 0;
  private readonly problems: string[] = [];
  private problemCount = 0;
  private readonly header: readonly string[];
  private readonly file: string;
  private readonly absent: ReadonlySet<string>;
  private readonly skip: boolean;
  private readonly limit: number;
  private readonly dtype: 'f32' | 'f64';

  constructor(header: readonly string[], options: CsvOptions) {
    this.header = header;
    this.targets = targetsOf(header, options);
    this.file = nameOf(options);
    this.absent = new Set(options.missing ?? MISSING);
    this.skip = options.onMissing === 'skip';
    this.limit = options.limit ?? 20;
    this.dtype = options.dtype ?? 'f32';
  }

  /** The row's numbers, target after target, into `into`. @returns false where the row is of no use */
  read(cells: readonly string[], row: number, line: number, into: number[]): boolean {
    into.length = 0;
    if (cells.length !== this.header.length) {
      this.report(row, line, `has ${cells.length} values, but there are ${this.header.length} columns`);
      return false;
    }
    let whole = true;
    const words: { readonly place: number; readonly word: string; readonly words: Words }[] = [];
    for (const target of this.targets) {
      for (const { name, place } of target.columns) {
        const cell = cells[place]!.trim();
        if (this.absent.has(cell)) {
          whole = false;
          this.missingCount++;
          if (this.missing.length < this.limit) this.missing.push({ row, line, column: name });
          if (!this.skip) this.report(row, line, `column '${name}' is missing`);
          continue;
        }
        const value = numberIn(cell, target, this.dtype);
        if (typeof value === 'string') {
          whole = false;
          this.report(row, line, `column '${name}': ${value}`);
          continue;
        }
        if (target.words !== undefined) words.push({ place: into.length, word: cell, words: target.words });
        into.push(value);
      }
    }
    if (whole) for (const { place, word, words: own } of words) into[place] = own.numberOf(word); // not of rows left out
    return whole;
  }

  /** @throws DataError that lists what was wrong, if anything was */
  finish(): void {
    if (this.problemCount === 0) return;
    const { problems, problemCount } = this;
    const rest = problemCount > problems.length ? [`and ${problemCount - problems.length} more`] : [];
    const what = problemCount === 1 ? 'one thing is' : `${problemCount} things are`;
    throw new DataError(
      `${this.file}: ${what} wrong\n${[...problems, ...rest].map((line) => `  ${line}`).join('\n')}`,
    );
  }

  private report(row: number, line: number, what: string): void {
    this.problemCount++;
    if (this.problems.length < this.limit) this.problems.push(`row ${row} (line ${line}), ${what}`);
  }
}

/** The first few of a list, for a message. */
function listOf(words: readonly string[]): string {
  return [...words.slice(0, 12), ...(words.length > 12 ? [`... (${words.length} in all)`] : [])].join(', ');
}

/** The cell's number, or what is wrong with it. */
function numberIn(cell: string, { kind, words }: Target, dtype: 'f32' | 'f64'): number | string {
  if (kind === 'category') {
    if (words!.has(cell)) return 0; // numbered when the row is known to be whole
    return `'${cell}' is none of ${listOf(words!.table)}`;
  }
  const value = NUMBER.test(cell) ? Number(cell) : NaN;
  if (!Number.isFinite(value)) return `'${cell}' is not a finite number`;
  if (kind === 'integer' && (!Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1))
    return `'${cell}' is not a whole number of 32 bits`;
  if (kind === 'real' && dtype === 'f32' && !Number.isFinite(Math.fround(value)))
    return `'${cell}' is too large for float32; dtype: 'f64' has room for it`;
  return value;
}
