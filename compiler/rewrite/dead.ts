/** Removes statements that no output, loss, metric, gradient or state depends on, and the tensors that they write. */
import { neededFor, withStatements } from '../graph/builder.ts';
import { pinned } from '../graph/results.ts';
import type { Program } from '../graph/types.ts';

export function removeDead(program: Program): Program {
  const needed = neededFor(program.statements, pinned(program));
  const kept = program.statements.filter((statement) => needed.has(statement.target));
  return kept.length === program.statements.length ? program : withStatements(program, kept);
}
