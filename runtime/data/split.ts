/** Rows put in random order, and divided into the parts that train, validate and test. */
import { checkOptionNames, DataError, type Only, type OptionNames } from '../errors.ts';
import { Random } from '../random.ts';
import { layoutOf, takeKnownRows, type Dataset, type Layout, type Rows } from './dataset.ts';

const PARTS = ['train', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** The share of the rows that goes to each part; the shares given make 1 together. */
export type Shares = { readonly [part in Part]?: number };

export interface SplitOptions extends Shares {
  /** Decides which row goes where; 0 by default. */
  readonly seed?: number;
  /** False: the first rows train, the next validate, the last test, as data in the order of time need it. */
  readonly shuffle?: boolean;
  /** The name of an array with one value a row (a label): every part has each of its values in the shares asked for. */
  readonly stratify?: string;
}

const SPLIT_OPTIONS: OptionNames<SplitOptions> = {
  train: true,
  validation: true,
  test: true,
  seed: true,
  shuffle: true,
  stratify: true,
};

/** Every row once, in an order that the seed decides. @throws DataError */
export function shuffle<Data extends Dataset>(
  data: Data,
  rows: Rows,
  options: { readonly seed?: number } = {},
): Data {
  checkOptionNames('shuffle', { seed: true }, options);
  const layout = layoutOf(data, rows);
  return takeKnownRows(data, layout, orderOf(layout.rows, options.seed ?? 0, 'shuffle'));
}

/**
 * Divides the rows: `split(data, 150, { train: 0.8, test: 0.2, seed: 1, stratify: 'label' })` gives `{ train, test }`, each
 * an object like `data` with arrays of its own. Shares are met to within a row. Stratified, those of every value are, by the
 * method of largest remainders; what rounding leaves over goes to the part that has had too little so far.
 * @throws DataError where shares do not make 1, a part would be empty, or there is no such option
 */
export function split<Data extends Dataset, Options extends SplitOptions>(
  data: Data,
  rows: Rows,
  options: Only<SplitOptions, Options>,
): { [part in Extract<keyof Options, Part>]: Data } {
  checkOptionNames('split', SPLIT_OPTIONS, options);
  const layout = layoutOf(data, rows);
  const parts = PARTS.filter((part) => options[part] !== undefined);
  const shares = checkedShares(parts, options);
  const { seed = 0, stratify } = options;
  const order =
    (options.shuffle ?? true)
      ? orderOf(layout.rows, seed, 'split')
      : Uint32Array.from({ length: layout.rows }, (_, i) => i);
  const strata = stratify === undefined ? [order] : strataOf(data, layout, order, stratify);
  const partOfRow = new Uint8Array(layout.rows);
  const owed = shares.map(() => 0);
  for (const stratum of strata) {
    let from = 0;
    for (const [place, count] of apportion(stratum.length, shares, owed).entries()) {
      for (const row of stratum.subarray(from, from + count)) partOfRow[row] = place;
      from += count;
    }
  }
  const result = parts.map((part, place): [Part, Data] => {
    const chosen = order.filter((row) => partOfRow[row] === place);
    if (chosen.length === 0)
      throw new DataError(
        `the part '${part}' would be empty: a share of ${shares[place]} of ${layout.rows} rows`,
      );
    return [part, takeKnownRows(data, layout, chosen)];
  });
  return Object.fromEntries(result) as { [part in Extract<keyof Options, Part>]: Data };
}

function orderOf(rows: number, seed: number, stream: string): Uint32Array {
  if (!Number.isInteger(seed)) throw new DataError(`seed must be a whole number, found ${seed}`);
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  new Random(seed, stream).shuffle(order);
  return order;
}

function checkedShares(parts: readonly Part[], options: SplitOptions): number[] {
  const shares = parts.map((part) => options[part]!);
  for (const [place, share] of shares.entries()) {
    if (!(share > 0 && share <= 1))
      throw new DataError(`the share of '${parts[place]}' must be above 0 and at most 1, found ${share}`);
  }
  const sum = shares.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-9) {
    const given = parts.map((part, place) => `${part} ${shares[place]}`).join(', ');
    throw new DataError(`the shares must make 1 together, found ${given || 'none'}`);
  }
  return shares;
}

/** The rows of each value of the array `name`, in their order; values in the order of their first row. */
function strataOf(data: Dataset, layout: Layout, order: Uint32Array, name: string): Uint32Array[] {
  const values = data[name];
  if (values === undefined) {
    const names = Object.keys(data).map((name) => `'${name}'`);
    throw new DataError(`stratify: there is no array '${name}'; there are ${names.join(', ')}`);
  }
  if (layout.sizes.get(name) !== 1)
    throw new DataError(
      `stratify: '${name}' must have one value a row, found ${layout.sizes.get(name) ?? 'no rows'}`,
    );
  const rowsOf = new Map<number, number[]>();
  for (const row of order) {
    const value = values[row]!;
    const rows = rowsOf.get(value);
    if (rows === undefined) rowsOf.set(value, [row]);
    else rows.push(row);
  }
  return [...rowsOf.values()].map((rows) => Uint32Array.from(rows));
}

/**
 * Whole numbers in proportion to the shares, each its quota rounded down or up. `owed` is what earlier calls have left
 * each part short of, and is brought up to date.
 */
function apportion(count: number, shares: readonly number[], owed: number[]): number[] {
  const quotas = shares.map((share) => share * count);
  const counts = quotas.map((quota) => Math.floor(quota + 1e-9));
  const claim = (place: number): number => quotas[place]! - counts[place]! + owed[place]!;
  const byClaim = shares.map((_, place) => place).toSorted((a, b) => claim(b) - claim(a));
  const left = count - counts.reduce((sum, each) => sum + each, 0);
  for (const place of byClaim.filter((place) => quotas[place]! - counts[place]! > 1e-9).slice(0, left))
    counts[place]!++;
  for (const place of shares.keys()) owed[place]! += quotas[place]! - counts[place]!;
  return counts;
}
