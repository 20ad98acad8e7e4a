/** Sums of sums: Σ_n Σ_k f = Σ_nk f, where nothing else reads the inner sum. One pass over the data instead of two. */
import { withStatements } from '../graph/builder.ts';
import {
  freshName,
  indexOf,
  isPlainIndex,
  isScatter,
  substituteIndices,
  tensorsReadBy,
} from '../graph/expressions.ts';
import { inSameScan } from '../graph/scan.ts';
import type { Program, Read, Statement } from '../graph/types.ts';
import { editedTensors, pinned } from '../graph/results.ts';
import { factorsOf, quotientOf } from './terms.ts';

export function nestSums(program: Program): Program {
  const keep = new Set([...pinned(program), ...editedTensors(program), ...(program.editedCotangents ?? [])]);
  const readers = new Map<string, number>();
  for (const statement of program.statements)
    for (const name of tensorsReadBy(statement)) readers.set(name, (readers.get(name) ?? 0) + 1);
  const byTarget = new Map<string, Statement>();
  for (const statement of program.statements) {
    const node = summand(statement);
    const inner = node && byTarget.get(node.tensor);
    const isOwn = inner !== undefined && !keep.has(inner.target) && readers.get(inner.target) === 1;
    const nested =
      isOwn && node && inner.phase === statement.phase && inSameScan(inner, statement)
        ? nest(statement, inner, node)
        : undefined;
    if (nested !== undefined && inner !== undefined) byTarget.delete(inner.target);
    byTarget.set(statement.target, nested ?? statement);
  }
  return byTarget.size === program.statements.length
    ? program
    : withStatements(program, [...byTarget.values()]);
}

/** The read that a sum sums, if its body is nothing else but perhaps a minus. */
function summand(statement: Statement): Read | undefined {
  if (statement.combine !== 'sum' || isScatter(statement)) return undefined;
  const { numerator, denominator } = factorsOf(statement.body);
  const [only] = numerator;
  const isOne = numerator.length === 1 && denominator.length === 0;
  return isOne && only?.kind === 'read' && only.outside === undefined ? only : undefined;
}

function nest(outer: Statement, inner: Statement, node: Read): Statement | undefined {
  if (inner.combine !== 'sum' || isScatter(inner) || inner.finish !== undefined) return undefined;
  const names = node.at.map(isPlainIndex);
  if (names.includes(undefined) || new Set(names).size !== names.length) return undefined;
  const taken = new Set(outer.indices.map(({ name }) => name));
  const places = new Map(
    inner.write.map((_, axis) => [inner.indices[axis]?.name ?? '', node.at[axis] ?? indexOf('')]),
  );
  const indices = [...outer.indices];
  for (const { name, extent } of inner.indices.slice(inner.write.length)) {
    const free = freshName(name, taken);
    taken.add(free);
    places.set(name, indexOf(free));
    indices.push({ name: free, extent });
  }
  const { sign } = factorsOf(outer.body);
  const { origin } = outer;
  return {
    ...outer,
    indices,
    body: quotientOf({ sign, numerator: [substituteIndices(inner.body, places)], denominator: [] }),
    origin: { ...origin, history: [...origin.history, `took in ${inner.target}`] },
  };
}
