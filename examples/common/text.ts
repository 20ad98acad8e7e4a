/** Text for networks that say what comes next: characters as numbers, windows of a text, the bigram model, sampling. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Random } from 'chainrule/runtime';

/** A text file, gzipped or not. */
export function readText(path: URL): string {
  const bytes = readFileSync(path);
  return (path.pathname.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** The characters of an ASCII text: the end of a line and what can be printed. */
export const ASCII = `\n${String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i))}`;

/** Each character's place in the alphabet. @throws Error for a character that is not in it */
export function encode(text: string, alphabet: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = alphabet.indexOf(character);
    if (code < 0) throw new Error(`${JSON.stringify(character)} is not in the alphabet`);
    return code;
  });
}

export const decode = (codes: Iterable<number>, alphabet: string): string =>
  Array.from(codes, (code) => alphabet[code]!).join('');

/** Pieces of a text, row by row, and at the same places the characters that come next. */
export interface Windows {
  readonly text: Uint8Array;
  readonly next: Uint8Array;
}

/** The pieces of `length` characters from each of `starts` on. */
export function windowsAt(codes: Uint8Array, length: number, starts: readonly number[]): Windows {
  const text = new Uint8Array(starts.length * length);
  const next = new Uint8Array(starts.length * length);
  for (const [row, start] of starts.entries()) {
    text.set(codes.subarray(start, start + length), row * length);
    next.set(codes.subarray(start + 1, start + 1 + length), row * length);
  }
  return { text, next };
}

/** The whole text, piece after piece, so that each character but the first is the next one once; what is left over is dropped. */
export function allWindows(codes: Uint8Array, length: number): Windows {
  const rows = Math.floor((codes.length - 1) / length);
  return windowsAt(
    codes,
    length,
    Array.from({ length: rows }, (_, row) => row * length),
  );
}

/** `rows` pieces from anywhere. */
export function randomWindows(codes: Uint8Array, length: number, rows: number, random: Random): Windows {
  const starts = Array.from({ length: rows }, () => random.integer(codes.length - length));
  return windowsAt(codes, length, starts);
}

/** Pairs of symbols: `next[i]` comes after `text[i]`. Where there is a `counts`, only the pairs for which it is true. */
export interface Pairs {
  readonly text: ArrayLike<number>;
  readonly next: ArrayLike<number>;
  readonly counts?: (i: number) => boolean;
}

/**
 * The bigram model: how often each symbol comes after each other one, with one added to every count (Laplace's rule).
 * @returns the logarithm of the probability that `b` comes after `a`, at `a * symbols + b`
 */
export function bigram({ text, next, counts = () => true }: Pairs, symbols: number): Float64Array {
  const table = new Float64Array(symbols * symbols).fill(1);
  for (let i = 0; i < text.length; i++) if (counts(i)) table[text[i]! * symbols + next[i]!]! += 1;
  for (let a = 0; a < symbols; a++) {
    const row = table.subarray(a * symbols, (a + 1) * symbols);
    const total = row.reduce((sum, count) => sum + count, 0);
    for (let b = 0; b < symbols; b++) row[b] = Math.log(row[b]! / total);
  }
  return table;
}

/** The mean of -log p over the pairs, in nats, p the probability that the bigram model gives to what comes next. */
export function bigramLoss(table: Float64Array, { text, next, counts = () => true }: Pairs): number {
  const symbols = Math.sqrt(table.length);
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < text.length; i++) {
    if (!counts(i)) continue;
    sum -= table[text[i]! * symbols + next[i]!]!;
    pairs++;
  }
  return sum / pairs;
}

/**
 * Draws a place of `p`, each with its probability to the power of 1 / temperature: below 1 what is likely becomes likelier,
 * and towards 0 only the likeliest is left.
 */
export function draw(p: ArrayLike<number>, temperature: number, random: Random): number {
  const weights = Float64Array.from(p, (probability) => probability ** (1 / temperature));
  let rest = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let k = 0; k < weights.length; k++) {
    rest -= weights[k]!;
    if (rest < 0) return k;
  }
  return weights.length - 1;
}

/** A trained network of `examples/gpt` or one like it: `p[n, t, k]`, what comes after the first t + 1 of `text`. */
export interface Writer {
  predict(data: { readonly text: Uint8Array }): { readonly p: ArrayLike<number> };
}

/**
 * Goes on writing after `start`, `count` characters. The network is asked for one character at a time, with what has been
 * written so far, or the last `context` characters of it. It never looks ahead, so what stands behind does not matter.
 */
export function write(
  network: Writer,
  start: Uint8Array,
  count: number,
  context: number,
  temperature: number,
  random: Random,
): Uint8Array {
  const written = new Uint8Array(start.length + count);
  written.set(start);
  const text = new Uint8Array(context);
  for (let at = start.length; at < written.length; at++) {
    const from = Math.max(0, at - context);
    text.fill(0).set(written.subarray(from, at));
    const { p } = network.predict({ text });
    const symbols = p.length / context;
    const last = at - from - 1;
    const following = Array.from({ length: symbols }, (_, k) => p[last * symbols + k]!);
    written[at] = draw(following, temperature, random);
  }
  return written;
}
