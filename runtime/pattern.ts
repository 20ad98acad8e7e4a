/** Parameters that are meant by name. */
import { DataError } from './errors.ts';

/** A name in which `*` stands for anything (`h_*`, `*_W`), several of them, or a test of names. */
export type NamePattern = string | readonly string[] | ((name: string) => boolean);

/** The names that are meant, in their order. @throws DataError where a pattern means none of them */
export function namesMatching(pattern: NamePattern, names: readonly string[]): string[] {
  if (typeof pattern === 'function') return names.filter((name) => pattern(name));
  const patterns = typeof pattern === 'string' ? [pattern] : pattern;
  const tests = patterns.map((each) => {
    const parts = each.split('*').map((part) => part.replaceAll(/[^\w]/g, '\\$&'));
    const test = new RegExp(`^${parts.join('.*')}$`);
    if (!names.some((name) => test.test(name)))
      throw new DataError(`no parameter is called '${each}'; there are ${names.join(', ')}`);
    return test;
  });
  return names.filter((name) => tests.some((test) => test.test(name)));
}
