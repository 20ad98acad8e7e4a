/** Wrong data. The message names the input, what was expected and what was found; nothing has been changed. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** What may be named in an object of options: all of its type, and nothing else. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/**
 * `Given` with none but the names of `Options`: an argument whose type is inferred may otherwise have any besides, and a
 * misspelt one goes unnoticed.
 */
export type Only<Options, Given> = Given & { readonly [name in Exclude<keyof Given, keyof Options>]: never };

/** @throws DataError where an option is none of `names`, or what is given is no object of options */
export function checkOptionNames<Options>(owner: string, names: OptionNames<Options>, options: object): void {
  const known = Object.keys(names);
  if (typeof options !== 'object' || options === null)
    throw new DataError(`${owner} takes an object with ${known.join(', ')}, found ${typeof options}`);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? '' : `, did you mean '${near}'?`;
    throw new DataError(`${owner} has no option '${name}'${hint}; its options are ${known.join(', ')}`);
  }
}

/** The name that shares most pairs of neighbouring letters with a wrong one (Dice's coefficient), if these are many. */
function nearest(wrong: string, names: readonly string[]): string | undefined {
  const pairsOf = (name: string): string[] => {
    const letters = name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
    return Array.from({ length: Math.max(0, letters.length - 1) }, (_, i) => letters.slice(i, i + 2));
  };
  const given = pairsOf(wrong);
  const likeness = (name: string): number => {
    const own = pairsOf(name);
    return (2 * given.filter((pair) => own.includes(pair)).length) / (given.length + own.length);
  };
  return names
    .filter((name) => likeness(name) > 0.3)
    .toSorted((one, other) => likeness(other) - likeness(one))[0];
}

/** @throws DataError */
export function mustBe(name: string, what: string, isSo: boolean, found: unknown): asserts isSo {
  // of a class or a function its head, not its text
  if (!isSo) throw new DataError(`${name} must be ${what}, found ${String(found).split('{')[0]}`);
}

/** Of epochs, rows of a batch and their like. */
export const GREATEST_COUNT = 2 ** 31 - 1;

/** @throws DataError */
export function positiveInteger(name: string, value: unknown): number {
  const count = value as number;
  const isCount = Number.isInteger(value) && count >= 1 && count <= GREATEST_COUNT;
  mustBe(name, `a whole number from 1 to ${GREATEST_COUNT}`, isCount, value);
  return count;
}
