/** An index that is taken apart by quotients and remainders, as a number in a mixed radix. */
import { indexNames, visitAtoms } from './index-expressions.ts';
import type { IndexAtom, IndexExpression, LoopIndex } from './types.ts';

/**
 * The weights of the digits of an index, from 1 upwards, if all quotients and remainders with it in `at` take it apart at
 * weights that divide each other; undefined if there are none or they do not fit.
 */
export function radixOf(index: LoopIndex, at: Iterable<IndexExpression>): number[] | undefined {
  const cuts = new Set<number>();
  let fits = typeof index.extent === 'number';
  for (const place of at) {
    visitAtoms(place, (atom) => {
      if (atom.kind !== 'quotient' && atom.kind !== 'remainder') return;
      if (!indexNames(atom.of).has(index.name)) return;
      const digits = digitsOf(atom, index.name);
      if (digits === undefined) fits = false;
      else for (const cut of [digits.low, digits.high]) if (Number.isFinite(cut)) cuts.add(cut);
    });
  }
  cuts.delete(1);
  const weights = [1, ...[...cuts].toSorted((left, right) => left - right)];
  const below = weights.filter((weight) => weight < Number(index.extent));
  const divides = below.every((weight, position) => weight % (below[position - 1] ?? 1) === 0);
  return fits && divides && below.length > 1 ? below : undefined;
}

/** The digits an atom takes: floor((name mod high) / low). */
function digitsOf(atom: IndexAtom, name: string): { low: number; high: number } | undefined {
  if (atom.kind === 'index') return atom.name === name ? { low: 1, high: Infinity } : undefined;
  if (atom.kind === 'fetch' || (atom.kind === 'quotient' && atom.exact)) return undefined;
  const [term] = atom.of.terms;
  if (atom.of.constant !== 0 || atom.of.terms.length !== 1 || term?.coefficient !== 1) return undefined;
  const inner = digitsOf(term.atom, name);
  if (inner === undefined) return undefined;
  const cut = inner.low * atom.by;
  return atom.kind === 'quotient'
    ? { low: cut, high: inner.high }
    : { low: inner.low, high: Math.min(inner.high, cut) };
}
