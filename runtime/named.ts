/** Arrays by name, in and out of the flat ones: parameters, gradients, states. */
import { checkData } from './ports.ts';
import type { Port, RealArray } from './types.ts';

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

/** The values given for some or all of parameters or states, with what they are for. @throws DataError */
export function checkedValues<Entry extends Named>(
  what: 'parameter' | 'state',
  entries: readonly Entry[],
  given: Readonly<Record<string, ArrayLike<number>>>,
): { readonly entry: Entry; readonly values: ArrayLike<number> }[] {
  const ports = entries.map(({ name, size, shape = [size] }): Port => {
    return { name, shape, batched: false, element: 'real', default: 0 };
  });
  checkData(ports, given, what);
  return entries.flatMap((entry) => {
    const values = given[entry.name];
    return values === undefined ? [] : [{ entry, values }];
  });
}
