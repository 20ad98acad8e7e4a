/** The 8x8 digits of the table, five classes at a time: three rows in four to train on, the rest to test with. */
import { readTable } from '../common/data.ts';

export interface Part {
  readonly x: Float32Array;
  readonly label: Int32Array;
}

/** Rows of the digits first .. first+4, labelled 0 .. 4; grey levels 0 .. 1. */
export function loadClasses(first: number): { train: Part; test: Part } {
  const { features, target, columns } = readTable(new URL('./data/digits.csv', import.meta.url));
  const rows = [...target.keys()].filter((row) => target[row]! >= first && target[row]! < first + 5);
  const part = (chosen: readonly number[]): Part => ({
    x: Float32Array.from(
      chosen.flatMap((row) =>
        [...features.subarray(row * columns, (row + 1) * columns)].map((grey) => grey / 16),
      ),
    ),
    label: Int32Array.from(chosen, (row) => target[row]! - first),
  });
  return { train: part(rows.filter((_, i) => i % 4 !== 3)), test: part(rows.filter((_, i) => i % 4 === 3)) };
}
