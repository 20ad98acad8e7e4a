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

/** @throws DataError where an option is none of `names` */
export function checkOptionNames<Options>(owner: string, names: OptionNames<Options>, options: object): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(names, name))
      throw new DataError(
        `${owner} has no option '${name}'; its options are ${Object.keys(names).join(', ')}`,
      );
  }
}

/** @throws DataError */
export function mustBe(name: string, what: string, isSo: boolean, found: unknown): void {
  if (!isSo) throw new DataError(`${name} must be ${what}, found ${String(found)}`);
}
