/** English first names as rows of symbols: 0 begins and ends a name, 1 .. 26 are a .. z. */
import { Random } from 'chainrule/runtime';
import { encode, readText } from '../common/text.ts';

/** Place 0 is no letter. */
export const SYMBOLS = '.abcdefghijklmnopqrstuvwxyz';
export const STEPS = 14;

/** The inputs of `names.dsl`, rows filled up with 0: `length` says how many places of each count, the letters and the end. */
export interface Rows {
  readonly seen: Uint8Array;
  readonly next: Uint8Array;
  readonly length: Uint8Array;
}

export function rowsOf(names: readonly string[]): Rows {
  const seen = new Uint8Array(names.length * STEPS);
  const next = new Uint8Array(names.length * STEPS);
  for (const [row, name] of names.entries()) {
    const letters = encode(name, SYMBOLS);
    seen.set(letters, row * STEPS + 1);
    next.set(letters, row * STEPS);
  }
  return { seen, next, length: Uint8Array.from(names, (name) => name.length + 1) };
}

/** 8,403 different names in a random order: nine tenths to train on, the others to test with. */
export function loadNames(): { train: string[]; test: string[] } {
  const names = readText(new URL('./data/names.txt', import.meta.url))
    .trim()
    .split('\n');
  const order = Uint32Array.from(names, (_, i) => i);
  new Random(1, 'split').shuffle(order);
  const shuffled = Array.from(order, (i) => names[i]!);
  const cut = Math.floor(0.9 * names.length);
  return { train: shuffled.slice(0, cut), test: shuffled.slice(cut) };
}
