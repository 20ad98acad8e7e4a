/**
 * Indices that are only taken apart again run as their digits: in sum[d](x[n, 8*(f / 16) + d] * K[d, f]) the index f is
 * 16 f + f2 with f2 < 16, the place of x is 8 f + d, and nothing is divided in a loop. Each group of such a convolution is
 * then a contraction, and a flattening a copy.
 */
import {
  addIndex,
  extentsOf,
  freshName,
  indexNames,
  indexOf,
  indicesIn,
  mapIndices,
  postorder,
  scaleIndex,
  substituteInIndex,
  tightenIndex,
} from '../graph/expressions.ts';
import { radixOf } from '../graph/radix.ts';
import type { IndexExpression, LoopIndex, Statement, Tensor } from '../graph/types.ts';

/** The statement over digits; the same statement where no index can be taken apart. The first digit keeps the name. */
export function overDigits(statement: Statement, tensors: ReadonlyMap<string, Tensor>): Statement {
  const expressions = statement.finish ? [statement.body, statement.finish] : [statement.body];
  const places = new Set([...statement.write, ...expressions.flatMap((each) => [...indicesIn(each)])]);
  const asNumbers = numbersIn(expressions);
  const taken = new Set(statement.indices.map(({ name }) => name));
  const values = new Map<string, IndexExpression>();
  const indices: LoopIndex[] = [];
  for (const index of statement.indices) {
    const { name, extent } = index;
    const isStep = name === statement.scan?.index;
    const radix = isStep || asNumbers.has(name) ? undefined : radixOf(index, places);
    if (radix === undefined || typeof extent !== 'number' || extent % (radix.at(-1) ?? 1) !== 0) {
      indices.push(index);
      continue;
    }
    const parts: IndexExpression[] = [];
    for (const [position, weight] of radix.toReversed().entries()) {
      const digit = position === 0 ? name : freshName(name, taken);
      taken.add(digit);
      indices.push({ name: digit, extent: (radix[radix.length - position] ?? extent) / weight });
      parts.push(scaleIndex(indexOf(digit), weight));
    }
    values.set(name, addIndex(...parts));
  }
  if (values.size === 0) return statement;
  const extents = extentsOf(indices);
  const rewrite = (index: IndexExpression): IndexExpression =>
    tightenIndex(substituteInIndex(index, values), extents, tensors);
  return {
    ...statement,
    indices,
    write: statement.write.map(rewrite),
    body: mapIndices(statement.body, rewrite),
    ...(statement.finish ? { finish: mapIndices(statement.finish, rewrite) } : {}),
  };
}

/**
 * The indices that are needed whole: as numbers, and at the border of a read that may be outside, where digits would need
 * a condition each.
 */
function numbersIn(expressions: readonly Statement['body'][]): Set<string> {
  const names = new Set<string>();
  for (const node of expressions.flatMap(postorder)) {
    if (node.kind === 'index_value') for (const name of indexNames(node.index)) names.add(name);
    if (node.kind !== 'read' || node.outside === undefined) continue;
    for (const { atom } of node.at.flatMap(({ terms }) => terms))
      if (atom.kind === 'index') names.add(atom.name);
  }
  return names;
}
