/**
 * One element of a tensor, whatever its place: what a derivative of `y[n, o]` is taken of.
 *
 * The indices of y become symbols, the same in all statements. Where a tensor on the way from x is read at a symbol on one axis,
 * and everywhere at that symbol, each of its rows along this axis matters to its own row of y alone: the axis is taken out, and
 * what is left computes one row. It is differentiated as a program without that axis, and restore.ts puts the axis back:
 * every row by itself, without a second axis of that length. Where the rows of a tensor do mix (a softmax over the axis, a
 * weight that all share), the tensor stays whole, and its cotangent gets the symbol as a further axis: a Jacobian.
 */
import {
  binary,
  constantIndex,
  freshName,
  hasExact,
  indexNames,
  indexOf,
  indexValue,
  isConstantIndex,
  isPlainIndex,
  mapExpression,
  reads,
  substituteIndices,
  visitAtoms,
} from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, LoopIndex, Statement, Tensor } from '../graph/types.ts';
import type { ContributionContext } from './contribution.ts';
import { scale } from './derivative.ts';
import type { Term } from './differential.ts';

/** An index that is the same in all statements. Its name is none of the language. */
export interface RowIndex extends LoopIndex {
  /** What it is called in the end, where that is free. */
  readonly display: string;
}

/** The place of the row: the symbol, or the only place that there is. */
export const placeOfRow = ({ name, extent }: RowIndex): IndexExpression =>
  extent === 1 ? constantIndex(0) : indexOf(name);

/** Tensor -> the axis that a symbol was taken out of. A tensor that is not here stays whole. */
export type RowAxes = ReadonlyMap<string, number>;

export interface RowRequest {
  /** The statement of y, which writes at plain indices. */
  readonly root: Statement;
  /** The axis of y, and its size. */
  readonly axis: number;
  readonly extent: Extent;
  /** All statements that y needs. */
  readonly statements: readonly Statement[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly isActive: (tensor: string) => boolean;
}

/** The tensors of which each row along an axis matters to its own row of y alone, y among them. */
export function rowAxesOf({ root, axis, extent, statements, tensors, isActive }: RowRequest): RowAxes {
  /** undefined: whole */
  const rows = new Map<string, number | undefined>([[root.target, axis]]);
  for (let settled = false; !settled;) {
    settled = true;
    for (const { target, write, body } of statements.toReversed()) {
      if (!rows.has(target) || !isActive(target)) continue;
      const row = rows.get(target);
      const index = row === undefined ? undefined : isPlainIndex(write[row] ?? { terms: [], constant: 0 });
      const isWritten = write.some((at, place) => place !== row && indexNames(at).has(index ?? ''));
      if (row !== undefined && (index === undefined || isWritten)) {
        // a row of it is not computed by one run of its own index
        rows.set(target, undefined);
        settled = false;
        continue;
      }
      for (const { tensor, at } of reads(body)) {
        if (!isActive(tensor)) continue;
        // at this axis it is read at its own row; at others it may be read anywhere: z[n, label[n]]
        const isAtRow = (each: IndexExpression, place: number): boolean =>
          isPlainIndex(each) === index && tensors.get(tensor)?.axes[place] === extent;
        const places =
          index === undefined ? [] : at.flatMap((each, place) => (isAtRow(each, place) ? [place] : []));
        const known = rows.get(tensor);
        const own = known !== undefined && places.includes(known) ? known : places[0];
        if (rows.has(tensor) && (known === undefined || known === own)) continue;
        rows.set(tensor, rows.has(tensor) ? undefined : own);
        settled = false;
      }
    }
  }
  return new Map([...rows].flatMap(([tensor, row]) => (row === undefined ? [] : [[tensor, row] as const])));
}

/** One symbol and where it was taken out. */
export interface Row {
  readonly index: RowIndex;
  readonly axes: RowAxes;
}

/** The axes of a tensor at which it has symbols. */
export function takenOut(tensor: string, rows: readonly Row[]): Set<number> {
  return new Set(rows.flatMap(({ axes }) => axes.get(tensor) ?? []));
}

export const without = <T>(list: readonly T[], places: ReadonlySet<number>): T[] =>
  list.filter((_, place) => !places.has(place));

/** The statement for one row: its row indices are symbols, and the axes of active tensors are taken out. */
export function oneRow(statement: Statement, rows: readonly Row[]): Statement {
  const { target, indices, write, body } = statement;
  const symbols = new Map<string, IndexExpression>();
  for (const { index, axes } of rows) {
    const axis = axes.get(target);
    const own = axis === undefined ? undefined : isPlainIndex(write[axis] ?? { terms: [], constant: 0 });
    if (own !== undefined) symbols.set(own, placeOfRow(index));
  }
  const atSymbols = mapExpression(substituteIndices(body, symbols), (node) => {
    if (node.kind !== 'read') return node;
    const places = takenOut(node.tensor, rows);
    return places.size === 0 ? node : { ...node, at: without(node.at, places) };
  });
  return {
    ...statement,
    indices: indices.filter(({ name }) => !symbols.has(name)),
    write: without(write, takenOut(target, rows)),
    body: atSymbols,
  };
}

/** The tensor of which one row is left. */
export function oneRowOf(tensor: Tensor, rows: readonly Row[]): Tensor {
  const places = takenOut(tensor.name, rows);
  if (places.size === 0) return tensor;
  return {
    ...tensor,
    axes: without(tensor.axes, places),
    axisNames: without(tensor.axisNames, places),
  };
}

/**
 * The term with an index of its own wherever it reads at a symbol or a constant: A[s] is read at each i, and counts at i = s.
 * So its cotangent is a gather as any other.
 */
export function withFreePlaces(term: Term, { ambient = [], axes, preferred }: ContributionContext): Term {
  const fixed = new Set(ambient.map(({ name }) => name));
  const taken = new Set([...term.indices.map(({ name }) => name), ...fixed]);
  const indices: LoopIndex[] = [...term.indices];
  let { factor } = term;
  const at = term.read.at.map((index, axis): IndexExpression => {
    if (!isFixed(index, fixed)) return index;
    const extent = axes[axis] ?? 0;
    const name = freshName(preferred[axis] ?? 'ijklmpq'[axis] ?? 'i', taken);
    taken.add(name);
    indices.push({ name, extent });
    if (extent !== 1 || term.read.outside !== undefined)
      factor = scale(sameIndex(indexOf(name), index), factor);
    return indexOf(name);
  });
  return { ...term, indices, factor, read: { ...term.read, at } };
}

/** True for a constant, and for what is computed of symbols alone. */
function isFixed(index: IndexExpression, symbols: ReadonlySet<string>): boolean {
  if (isConstantIndex(index) !== undefined) return true;
  let fetches = hasExact(index);
  visitAtoms(index, ({ kind }) => {
    fetches ||= kind === 'fetch';
  });
  return !fetches && [...indexNames(index)].every((name) => symbols.has(name));
}

export function sameIndex(left: IndexExpression, right: IndexExpression): Expression {
  return binary('equal', indexValue(left), indexValue(right));
}
