/** Arrays by name, in and out of the flat ones: parameters, gradients, states. */
import { DataError } from './errors.ts';
import { isArrayLike, nameOfType } from './ports.ts';
import type { RealArray } from './types.ts';

export interface Named {
  readonly name: string;
  readonly size: number;
  readonly shape?: readonly number[];
}

/** Copies of the places of a flat array, by name. */
export function namedCopies(
  pool: RealArray,
  entries: readonly { readonly name: string; readonly offset: number; readonly size: number }[],
): Record<string, RealArray> {
  return Object.fromEntries(
    entries.map(({ name, offset, size }) => [name, pool.slice(offset, offset + size)]),
  );
}

/** The values given for parameters or states, with what they are for. @throws DataError */
export function checkedValues<Entry extends Named>(
  what: 'parameter' | 'state',
  entries: readonly Entry[],
  given: Readonly<Record<string, ArrayLike<number>>>,
): { readonly entry: Entry; readonly values: ArrayLike<number> }[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return Object.entries(given).map(([name, values]) => {
    const entry = byName.get(name);
    if (entry === undefined)
      throw new DataError(`there is no ${what} '${name}'; the model's are ${[...byName.keys()].join(', ')}`);
    if (!isArrayLike(values))
      throw new DataError(`${what} '${name}' must be an array of numbers, found ${nameOfType(values)}`);
    if (values.length !== entry.size) {
      const shape = entry.shape === undefined ? '' : ` [${entry.shape.join(', ')}]`;
      throw new DataError(`${what} '${name}'${shape} has ${entry.size} values, found ${values.length}`);
    }
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i]))
        throw new DataError(`${what} '${name}' is ${String(values[i])} at element ${i}`);
    }
    return { entry, values };
  });
}
