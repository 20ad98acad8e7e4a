/**
 * Quotients and remainders in the places of a read, made affine: where x[n, f / 6, mod(f, 6)] is read, the index f is
 * written in the mixed radix of those quotients, f = 6 f + f2 with f2 < 6, and the read is x[n, f, f2]. So the adjoint
 * of a flattening, or of an upsampling y[i] = x[i / 2], needs no scatter.
 */
import {
  addIndex,
  extentsOf,
  freshName,
  indexNames,
  indexOf,
  scaleIndex,
  substituteIndices,
  visitAtoms,
} from '../graph/expressions.ts';
import type { IndexAtom, IndexExpression, LoopIndex, Tensor } from '../graph/types.ts';
import { tighten, type Condition, type Scope } from './contribution.ts';
import type { Term } from './differential.ts';

/** A term that counts only where its conditions hold. */
export interface ConditionalTerm {
  readonly term: Term;
  readonly conditions: readonly Condition[];
}

/**
 * The term over digits instead of the indices that it takes apart; the same term if it takes none apart. Where an extent is
 * no multiple of the radix, the digits run a little too far: hence the conditions.
 */
export function splitDigits(term: Term, tensors: ReadonlyMap<string, Tensor>): ConditionalTerm {
  const indices: LoopIndex[] = [];
  const conditions: Condition[] = [];
  const values = new Map<string, IndexExpression>();
  const taken = new Set(term.indices.map((index) => index.name));
  for (const index of term.indices) {
    const radix = radixOf(index, term.read.at);
    if (radix === undefined || typeof index.extent !== 'number') {
      indices.push(index);
      continue;
    }
    // the first digit keeps the name; its weight is the last one of the radix
    const parts: IndexExpression[] = [];
    for (const [position, weight] of radix.toReversed().entries()) {
      const name = position === 0 ? index.name : freshName(index.name, taken);
      taken.add(name);
      const above = radix[radix.length - position];
      indices.push({ name, extent: (above ?? Math.ceil(index.extent / weight) * weight) / weight });
      parts.push(scaleIndex(indexOf(name), weight));
    }
    const value = addIndex(...parts);
    values.set(index.name, value);
    if (index.extent % (radix.at(-1) ?? 1) !== 0) conditions.push({ value, extent: index.extent });
  }
  if (values.size === 0) return { term, conditions };

  const scope: Scope = { extents: extentsOf(indices), tensors };
  const replaced = (index: IndexExpression): IndexExpression =>
    tighten(substituteIndices(index, values), scope);
  return {
    term: {
      indices,
      write: term.write.map(replaced),
      read: { ...term.read, at: term.read.at.map(replaced) },
      factor: substituteIndices(term.factor, values),
    },
    conditions,
  };
}

/**
 * The weights of the digits of an index, from 1 upwards, if all quotients and remainders with it take it apart at
 * weights that divide each other; undefined if there are none or they do not fit.
 */
function radixOf(index: LoopIndex, at: readonly IndexExpression[]): number[] | undefined {
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
