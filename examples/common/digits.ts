/** The 10,000 real MNIST digits beside the `digits` example: 8,000 to train on, 2,000 to test with. */
import { readIdxFile } from 'chainrule/node';

export interface Digits {
  /** Grey levels 0 .. 1, picture after picture, row after row: 784 each. */
  readonly x: Float32Array;
  readonly label: Int32Array;
}

const file = (name: string): URL => new URL(`../digits/data/${name}-ubyte.gz`, import.meta.url);

function load(part: 'train' | 't10k', rows: number): Digits {
  const images = readIdxFile(file(`${part}-images-idx3`)).data.subarray(0, rows * 784);
  const labels = readIdxFile(file(`${part}-labels-idx1`)).data.subarray(0, rows);
  return { x: Float32Array.from(images, (grey) => grey / 255), label: Int32Array.from(labels) };
}

/** `rows`: how many of the digits to train on, at most. */
export const loadDigits = (rows = Infinity): { readonly train: Digits; readonly test: Digits } => ({
  train: load('train', rows),
  test: load('t10k', Infinity),
});
