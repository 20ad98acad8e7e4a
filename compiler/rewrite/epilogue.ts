/**
 * Epilogues: an elementwise statement that alone reads a reduction, at its own place, is applied to each combined value
 * before it is stored: bias and activation into the matrix product, dA = dA_1 + dA_2 into the second contribution.
 */
import { withStatements } from '../graph/builder.ts';
import {
  accumulated,
  freshName,
  isPlainIndex,
  isScatter,
  mapExpression,
  reads,
  reducedIndices,
  replaceAccumulated,
  indexOf,
  substituteIndices,
  tensorsReadBy,
} from '../graph/expressions.ts';
import { inSameScan } from '../graph/scan.ts';
import type { Program, Read, Statement } from '../graph/types.ts';
import { checkpointResults, pinned } from '../graph/results.ts';
import { isElementwise, valueOf } from './definitions.ts';

export function fuseEpilogues(program: Program): Program {
  const keep = new Set([
    ...pinned(program),
    ...checkpointResults(program),
    ...(program.editedCotangents ?? []),
  ]);
  const readers = new Map<string, number>();
  for (const statement of program.statements)
    for (const name of tensorsReadBy(statement)) readers.set(name, (readers.get(name) ?? 0) + 1);
  const byTarget = new Map(program.statements.map((statement) => [statement.target, statement]));
  const gone = new Set<string>();
  const statements = program.statements.map((statement) => {
    if (!isElementwise(statement)) return statement;
    const candidates = reads(valueOf(statement)).toReversed();
    for (const { tensor } of candidates) {
      const reduction = byTarget.get(tensor);
      if (reduction === undefined || keep.has(tensor) || readers.get(tensor) !== 1) continue;
      if (!isReduction(reduction) || reduction.phase !== statement.phase) continue;
      if (!inSameScan(reduction, statement)) continue;
      if (program.tensors.get(tensor)?.element === 'integer') continue;
      const fused = fuse(reduction, statement);
      if (fused === undefined) continue;
      gone.add(tensor);
      byTarget.set(statement.target, fused);
      return fused;
    }
    return statement;
  });
  if (gone.size === 0) return program;
  return withStatements(
    program,
    statements.filter(({ target }) => !gone.has(target)),
  );
}

function isReduction(statement: Statement): boolean {
  const { combine } = statement;
  if (combine === 'argmax' || combine === 'argmin') return false;
  return !isScatter(statement) && reducedIndices(statement).length > 0;
}

/** The reduction with the elementwise statement as its finish; undefined if that reads it anywhere else than at its place. */
function fuse(reduction: Statement, statement: Statement): Statement | undefined {
  const value = valueOf(statement);
  const own = reads(value).filter(({ tensor }) => tensor === reduction.target);
  const order = own[0]?.at.map(isPlainIndex);
  if (order === undefined || !own.every((node) => readsAll(node, order, statement))) return undefined;
  const written = reduction.indices.slice(0, reduction.write.length);
  // The reduction's loops are named as the reader names them, and stand in its order.
  const ours = new Map(written.map(({ name }, axis) => [name, indexOf(order[axis] ?? '')]));
  const taken = new Set(statement.indices.map(({ name }) => name));
  const others = reduction.indices.slice(reduction.write.length);
  const indices = [...statement.indices];
  for (const { name, extent } of others) {
    const free = freshName(name, taken);
    taken.add(free);
    indices.push({ name: free, extent });
    ours.set(name, indexOf(free));
  }
  const inner = reduction.finish ? substituteIndices(reduction.finish, ours) : accumulated;
  const finish = mapExpression(value, (node) =>
    node.kind === 'read' && node.tensor === reduction.target ? accumulated : node,
  );
  const whole = replaceAccumulated(finish, inner);
  return {
    ...statement,
    indices,
    combine: reduction.combine,
    body: substituteIndices(reduction.body, ours),
    ...(whole.kind === 'accumulated' ? {} : { finish: whole }),
    origin: {
      ...statement.origin,
      history: [...statement.origin.history, `fused with ${reduction.target}`],
    },
  };
}

/** True if the read is at all indices of the statement, each once, in the given order. */
function readsAll(node: Read, order: readonly (string | undefined)[], statement: Statement): boolean {
  if (node.outside !== undefined || node.at.length !== statement.indices.length) return false;
  const names = node.at.map(isPlainIndex);
  if (new Set(names).size !== names.length) return false;
  return names.every((name, axis) => name !== undefined && name === order[axis]);
}
