/** The 10,000 real MNIST digits beside the `digits` example: 8,000 to train on, 2,000 to test with. */
import { readIdx } from './data.ts';

const file = (name: string): URL => new URL(`../digits/data/${name}-ubyte.gz`, import.meta.url);

function load(part: 'train' | 't10k'): { readonly x: Float32Array; readonly label: Uint8Array } {
  const x = Float32Array.from(readIdx(file(`${part}-images-idx3`)), (grey) => grey / 255);
  return { x, label: readIdx(file(`${part}-labels-idx1`)) };
}

export const loadDigits = (): { train: ReturnType<typeof load>; test: ReturnType<typeof load> } => ({
  train: load('train'),
  test: load('t10k'),
});
