/**
 * From one row to every row: the indices that rows.ts made symbols become indices of the statements again, and axes of what
 * they compute. A tensor that depends on no row gets no axis.
 */
import {
  fetchIndex,
  freeIndices,
  freshName,
  indexNames,
  indexOf,
  mapAtoms,
  mapExpression,
  mapIndices,
  substituteInIndex,
  tensorsReadBy,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, LoopIndex, Statement, Tensor } from '../graph/types.ts';
import { placeOfRow, type Row, type RowIndex } from './rows.ts';

export interface Restored {
  readonly statements: readonly Statement[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The symbols that stand for the first axes of a tensor, in order. */
  readonly leadingOf: (tensor: string) => readonly RowIndex[];
}

export interface RestoreRequest {
  readonly rows: readonly Row[];
  /** Further symbols, which no tensor of the program has an axis of: the elements of x, in forward mode. */
  readonly lifted?: readonly RowIndex[];
  readonly statements: readonly Statement[];
  /** All tensors that these write. */
  readonly tensors: (name: string) => Tensor;
}

/** Where the symbols of a tensor stand among its axes. */
type Places = readonly { readonly axis: number; readonly index: RowIndex }[];

export function restoreRows(request: RestoreRequest): Restored {
  const { rows, lifted = [], statements } = request;
  const all = [...new Set([...rows.map(({ index }) => index), ...lifted])];
  const made = new Map<string, Places>();
  const own = (tensor: string): Places =>
    rows
      .flatMap(({ index, axes }) => {
        const axis = axes.get(tensor);
        return axis === undefined ? [] : [{ axis, index }];
      })
      .toSorted((a, b) => a.axis - b.axis);
  const placesOf = (tensor: string): Places => made.get(tensor) ?? own(tensor);

  // in a recurrence a tensor may be read before it is written
  for (let settled = false; !settled;) {
    settled = true;
    for (const statement of statements) {
      const names = new Set(freeIndices(statement.body));
      for (const at of statement.write) for (const name of indexNames(at)) names.add(name);
      for (const tensor of [...tensorsReadBy(statement), statement.target])
        for (const { index } of placesOf(tensor)) names.add(index.name);
      const needed = all.filter(({ name, extent }) => extent !== 1 && names.has(name));
      if ((made.get(statement.target)?.length ?? -1) === needed.length) continue;
      made.set(
        statement.target,
        needed.map((index, axis) => ({ axis, index })),
      );
      settled = false;
    }
  }

  const tensors = new Map<string, Tensor>();
  const restore = (statement: Statement): Statement => {
    const places = placesOf(statement.target);
    const tensor = request.tensors(statement.target);
    tensors.set(tensor.name, {
      ...tensor,
      axes: inserted(tensor.axes, places, ({ extent }) => extent),
      axisNames: inserted(tensor.axisNames, places, ({ display }) => display),
    });
    const taken = new Set(statement.indices.map(({ name }) => name));
    const names = new Map<string, IndexExpression>();
    const loops = new Map<string, LoopIndex>();
    for (const { index } of places) {
      const name = freshName(index.display, taken);
      taken.add(name);
      names.set(index.name, indexOf(name));
      loops.set(index.name, { name, extent: index.extent });
    }
    const placed = (tensorName: string, at: readonly IndexExpression[]): readonly IndexExpression[] =>
      inserted(at, placesOf(tensorName), (index) => names.get(index.name) ?? placeOfRow(index));
    const inIndex = (index: IndexExpression): IndexExpression =>
      substituteInIndex(
        mapAtoms(index, (atom) => {
          if (atom.kind !== 'fetch' || placesOf(atom.tensor).length === 0) return undefined;
          return fetchIndex(atom.tensor, placed(atom.tensor, atom.at));
        }),
        names,
      );
    const inExpression = (expression: Expression): Expression =>
      mapExpression(mapIndices(expression, inIndex), (node) => {
        if (node.kind !== 'read' || placesOf(node.tensor).length === 0) return node;
        return { ...node, at: placed(node.tensor, node.at) };
      });
    const index = ({ name, extent }: RowIndex): LoopIndex => loops.get(name) ?? { name, extent };
    return {
      ...statement,
      indices: inserted(statement.indices, places, index),
      write: inserted(statement.write.map(inIndex), places, ({ name }) => names.get(name) ?? indexOf(name)),
      body: inExpression(statement.body),
    };
  };
  return {
    statements: statements.map(restore),
    tensors,
    leadingOf: (tensor) => (made.get(tensor) ?? []).map(({ index }) => index),
  };
}

/** The list with further entries, each at its place in the result. */
function inserted<T>(list: readonly T[], places: Places, entry: (index: RowIndex) => T): T[] {
  const result = [...list];
  for (const { axis, index } of places) result.splice(axis, 0, entry(index));
  return result;
}
