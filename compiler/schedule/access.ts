/** Where a read or a write falls in the flat buffer: Σ factor · atom, with row-major strides. */
import { indexKey, indexNames } from '../graph/expressions.ts';
import type { Extent, IndexAtom, IndexExpression, Tensor } from '../graph/types.ts';
import { equalMonomials, scaleMonomial, stridesOf, timesExtent } from './integers.ts';
import type { Monomial } from './integers.ts';

export interface FlatTerm {
  readonly factor: Monomial;
  /** Absent: the constant. */
  readonly atom?: IndexAtom;
}

export type Flat = readonly FlatTerm[];

/** How a tensor lies in its buffer. */
export type Stored = Pick<Tensor, 'axes' | 'stepAxis'>;

/** The axes of the buffer. */
export function bufferAxes({ axes, stepAxis }: Stored): readonly Extent[] {
  return axes.filter((_, axis) => axis !== stepAxis);
}

const scalar: Stored = { axes: [] };

export function storedAs(tensors: ReadonlyMap<string, Tensor>, name: string): Stored {
  return tensors.get(name) ?? scalar;
}

/** The place of `A[at]` in the buffer of a tensor. */
export function flatten(tensor: Stored, at: readonly IndexExpression[]): Flat {
  const { stepAxis } = tensor;
  const strides = stridesOf(stepAxis === undefined ? tensor.axes : tensor.axes.with(stepAxis, 1));
  const terms = new Map<string, FlatTerm>();
  const add = (key: string, term: FlatTerm): void => {
    const where = `${key}*${term.factor.symbols.join('*')}`;
    const coefficient = (terms.get(where)?.factor.coefficient ?? 0) + term.factor.coefficient;
    terms.set(where, { ...term, factor: { ...term.factor, coefficient } });
  };
  at.forEach((index, axis) => {
    const stride = strides[axis];
    if (axis === stepAxis) return;
    if (!stride) throw new Error('a place has more indices than its tensor has axes');
    for (const { coefficient, atom } of index.terms)
      add(indexKey({ terms: [{ coefficient: 1, atom }], constant: 0 }), {
        factor: scaleMonomial(stride, coefficient),
        atom,
      });
    if (index.constant !== 0) add('', { factor: scaleMonomial(stride, index.constant) });
  });
  return [...terms.values()].filter((term) => term.factor.coefficient !== 0);
}

/** The step of the place when one loop index goes up by one; undefined: 0. Not defined for `isOpaque` indices. */
export function strideIn(flat: Flat, name: string): Monomial | undefined {
  return flat.find((term) => term.atom?.kind === 'index' && term.atom.name === name)?.factor;
}

/** True if the place depends on the index other than by a constant stride. */
export function isOpaque(flat: Flat, name: string): boolean {
  const direct = flat.filter((term) => term.atom?.kind === 'index' && term.atom.name === name);
  return (
    direct.length > 1 ||
    flat.some(({ atom }) => atom !== undefined && atom.kind !== 'index' && dependsOn(atom, name))
  );
}

/** True if an atom's value depends on the loop index. */
export function dependsOn(atom: IndexAtom, name: string): boolean {
  return indexNames({ terms: [{ coefficient: 1, atom }], constant: 0 }).has(name);
}

/** True if in all these places the indices `outer` and `inner` together run like one index of both extents. */
export function runTogether(flats: readonly Flat[], outer: string, inner: string, extent: Extent): boolean {
  return flats.every((flat) => {
    const step = strideIn(flat, inner);
    return equalMonomials(strideIn(flat, outer), step && timesExtent(step, extent));
  });
}

/** What one more step along the index costs: nothing, a neighbour, or another line of the cache. */
export function stepCost(flat: Flat, name: string): number {
  if (isOpaque(flat, name)) return 8;
  const stride = strideIn(flat, name);
  if (!stride) return 0;
  if (stride.symbols.length > 0) return 8;
  const distance = Math.abs(stride.coefficient);
  return distance === 1 ? 1 : distance < 8 ? 2 : 8;
}
