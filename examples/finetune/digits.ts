/** The 8x8 digits of the table, five classes at a time: three rows in four to train on, the rest to test with. */
import { takeRows } from 'chainrule/data';
import { readCsvFile } from 'chainrule/node';

export interface Part {
  readonly x: Float32Array;
  readonly label: Int32Array;
}

/** Rows of the digits first .. first+4, labelled 0 .. 4; grey levels 0 .. 1. */
export function loadClasses(first: number): { train: Part; test: Part } {
  const { data, rows } = readCsvFile(new URL('./data/digits.csv', import.meta.url), {
    reals: { x: /^pixel_/ },
    integers: { label: 'digit' },
  });
  const chosen = [...data.label.keys()].filter((row) => Math.floor(data.label[row]! / 5) * 5 === first);
  const part = (own: readonly number[]): Part => {
    const { x, label } = takeRows(data, rows, own);
    return { x: x.map((grey) => grey / 16), label: label.map((digit) => digit - first) };
  };
  return {
    train: part(chosen.filter((_, i) => i % 4 !== 3)),
    test: part(chosen.filter((_, i) => i % 4 === 3)),
  };
}
