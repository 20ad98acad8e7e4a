/**
 * Quotients and remainders in the places of a read, made affine: where x[n, f / 6, mod(f, 6)] is read, the index f is
 * written in the mixed radix of those quotients, f = 6 f + f2 with f2 < 6, and the read is x[n, f, f2]. So the adjoint
 * of a flattening, or of an upsampling y[i] = x[i / 2], needs no scatter.
 */
import {
  addIndex,
  extentsOf,
  freeIndices,
  freshName,
  indexNames,
  indexOf,
  indicesIn,
  mapIndices,
  quotientIndex,
  remainderIndex,
  scaleIndex,
  substituteIndices,
  visitAtoms,
} from '../graph/expressions.ts';
import { radixOf } from '../graph/radix.ts';
import type { Expression, IndexExpression, LoopIndex, Tensor } from '../graph/types.ts';
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
 * The other way: where all indices of a place are the digits of one number, x[n, 16 h + c + 64] with c < 16, the term is
 * written over that number, f, with h = f / 16 and c = mod(f, 16). So the adjoint of a cut into heads is what puts
 * them together again, and no sum. Not where a factor moves with a digit that is summed over, as the weights of a
 * convolution do (these are products of matrices, or loops over residues), unless it is the number again that it moves with.
 */
export function joinDigits(term: Term, tensors: ReadonlyMap<string, Tensor>): Term {
  let current = term;
  for (const [axis, place] of term.read.at.entries()) {
    const others = current.read.at.toSpliced(axis, 1);
    const elsewhere = new Set(others.flatMap((other) => [...indexNames(other)]));
    const digits = digitsIn(place, current.indices);
    if (digits === undefined || digits.some(({ name }) => elsewhere.has(name))) continue;
    const written = new Set(current.write.flatMap((index) => [...indexNames(index)]));
    const weighted = freeIndices(current.factor);
    const isSum = current.indices.some((index) => !digits.includes(index) && !elsewhere.has(index.name));
    const isWeighted = digits.some(({ name }) => !written.has(name) && weighted.has(name));
    if (isWeighted && isSum) continue;
    const next = joined(current, digits, tensors);
    if (!isWeighted || !hasRemainder(next.factor)) current = next;
  }
  return current;
}

function hasRemainder(factor: Expression): boolean {
  let found = false;
  for (const index of indicesIn(factor))
    visitAtoms(index, (atom) => {
      found ||= atom.kind === 'remainder';
    });
  return found;
}

/** The indices of a place from the last digit to the first, if they count without a gap; at least two. */
function digitsIn({ terms }: IndexExpression, indices: readonly LoopIndex[]): LoopIndex[] | undefined {
  const digits: LoopIndex[] = [];
  let weight = 1;
  for (const { coefficient, atom } of terms.toSorted((a, b) => a.coefficient - b.coefficient)) {
    const index = atom.kind === 'index' ? indices.find(({ name }) => name === atom.name) : undefined;
    if (index === undefined || typeof index.extent !== 'number' || coefficient !== weight) return undefined;
    digits.push(index);
    weight *= index.extent;
  }
  return digits.length > 1 && weight > 0 ? digits : undefined;
}

function joined(term: Term, digits: readonly LoopIndex[], tensors: ReadonlyMap<string, Tensor>): Term {
  const [last, ...above] = digits;
  if (last === undefined) return term;
  const whole = indexOf(last.name);
  const values = new Map<string, IndexExpression>();
  let weight = 1;
  for (const [position, { name, extent }] of digits.entries()) {
    const row = quotientIndex(whole, weight);
    values.set(name, position === digits.length - 1 ? row : remainderIndex(row, Number(extent)));
    weight *= Number(extent);
  }
  const indices = term.indices
    .filter((index) => !above.includes(index))
    .map((index) => (index === last ? { ...index, extent: weight } : index));
  const scope: Scope = { extents: extentsOf(indices), tensors };
  const replaced = (index: IndexExpression): IndexExpression =>
    tighten(substituteIndices(index, values), scope);
  // what the digits are put together from again is the number itself
  const at = term.read.at.map((index) => {
    const own = index.terms.some(({ atom }) => atom.kind === 'index' && values.has(atom.name));
    return own ? { ...whole, constant: index.constant } : replaced(index);
  });
  return {
    indices,
    write: term.write.map(replaced),
    read: { ...term.read, at },
    factor: mapIndices(substituteIndices(term.factor, values), (index) => tighten(index, scope)),
  };
}
