/** Removes statements that no output, loss, metric, gradient or state depends on, and the tensors that they write. */
import { withStatements } from '../graph/builder.ts';
import { tensorsReadBy } from '../graph/expressions.ts';
import { pinned } from '../graph/results.ts';
import type { Program, Statement } from '../graph/types.ts';

export function removeDead(program: Program): Program {
  const needed = pinned(program);
  const kept: Statement[] = [];
  for (const statement of program.statements.toReversed()) {
    if (!needed.has(statement.target)) continue;
    kept.push(statement);
    for (const name of tensorsReadBy(statement)) needed.add(name);
  }
  return kept.length === program.statements.length ? program : withStatements(program, kept.toReversed());
}
