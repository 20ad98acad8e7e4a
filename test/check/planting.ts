/** Plants a fault in a table of the compiler, compiles a small model with it, and asks `compile check`. */
import { analysed, changed, fingerprint, ROWS, wrongIn, type Given, type Wrong } from './support.ts';

/** Runs with another entry in a table, which is put back afterwards. */
export async function withEntry<T>(
  table: object,
  key: string | number,
  entry: unknown,
  run: () => Promise<T>,
): Promise<T> {
  const kept: unknown = Reflect.get(table, key);
  if (!Reflect.set(table, key, entry)) throw new Error(`${key} cannot be replaced`);
  try {
    return await run();
  } finally {
    Reflect.set(table, key, kept);
  }
}

export interface Fault {
  readonly name: string;
  readonly table: object;
  readonly key: string | number;
  readonly entry: unknown;
}

export interface Trials {
  /** Faults that `check` found. */
  readonly found: readonly string[];
  /** Faults that changed no number of this model: loss, gradient and scattered gradient, computed by the interpreter. */
  readonly same: readonly string[];
  /** Faults that the compiler refused itself, by an internal error. */
  readonly refused: readonly string[];
  /** What must be empty: faults that changed a gradient, and `check` said nothing, or named a parameter that is right. */
  readonly survived: readonly string[];
}

/** What finds no fault that the differences do not: each module that is not made saves a quarter of the time. */
const needless = new Set(['float32'] as const);

/** A fault in a choice (which is the greatest?) is one at some points alone: so many are looked at. */
const SEEDS = 4;

/**
 * Tries every fault on a model. The model itself must pass.
 * @param scattered a fault may also be one of the scattered form alone
 */
export async function tryFaults(
  text: string,
  faults: readonly Fault[],
  options: Given = {},
  scattered = false,
): Promise<Trials> {
  const leaveOut = scattered ? needless : new Set([...needless, 'scatter'] as const);
  const given: Given = { directions: 1, rows: ROWS, leaveOut, ...options };
  const model = analysed(text);
  const right = fingerprint(model, options.data?.arrays, scattered);
  const { named } = await wrongIn(model, given);
  if (named.length > 0) throw new Error(`the model itself does not pass: ${named.join(', ')}`);
  const trials = {
    found: [] as string[],
    same: [] as string[],
    refused: [] as string[],
    survived: [] as string[],
  };
  for (const { name, table, key, entry } of faults)
    await withEntry(table, key, entry, async () => {
      let affected: string[];
      let wrong: Wrong = { named: [], notFinite: [] };
      try {
        const faulty = analysed(text);
        affected = affectedNames(changedBy(() => fingerprint(faulty, options.data?.arrays, scattered)));
        for (let seed = 1; seed <= SEEDS && affected.length > 0 && wrong.named.length === 0; seed++)
          wrong = await wrongIn(faulty, { ...given, seed });
      } catch {
        trials.refused.push(name);
        return;
      }
      const { named, notFinite } = wrong;
      const isNamed =
        named.some((each) => affected.includes(each)) &&
        named.every((each) => affected.includes(each) || notFinite.includes(each));
      if (affected.length === 0) trials.same.push(name);
      else if (isNamed) trials.found.push(name);
      else trials.survived.push(`${name}: wrong are ${affected.join(', ')}; named are ${named.join(', ')}`);
    });
  return trials;

  /** Without numbers (a read outside of a tensor) everything has changed. */
  function changedBy(numbers: () => ReadonlyMap<string, number[]>): string[] {
    try {
      return changed(right, numbers());
    } catch {
      return [...right.keys()];
    }
  }
}

/** Parameters, and the loss, whichever form of the gradient is affected. */
const affectedNames = (names: readonly string[]): string[] => [
  ...new Set(names.map((name) => name.replace(/ scattered$/, ''))),
];
