/** The 10,000 real MNIST digits beside the `digits` example: 8,000 to train on, 2,000 to test with. */
import { readIdxFile } from 'chainrule/node';

const read = (name: string): ArrayLike<number> =>
  readIdxFile(new URL(`../digits/data/${name}-ubyte.gz`, import.meta.url)).data;

function load(part: 'train' | 't10k'): { readonly x: Float32Array; readonly label: Int32Array } {
  return {
    x: Float32Array.from(read(`${part}-images-idx3`), (grey) => grey / 255),
    label: Int32Array.from(read(`${part}-labels-idx1`)),
  };
}

export const loadDigits = (): { train: ReturnType<typeof load>; test: ReturnType<typeof load> } => ({
  train: load('train'),
  test: load('t10k'),
});
