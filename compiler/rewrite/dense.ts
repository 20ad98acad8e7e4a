/**
 * Scatters that are none: where every loop point writes an element of its own, T[n, label[n]] += f(n), each element
 * knows whether it is written, and the statement is the dense
 *
 *     T[n, k] = k == label[n] ? f(n) : 0
 *
 * It needs no zeroing before and no second pass after: it fuses with what reads it.
 */
import { withStatements } from '../graph/builder.ts';
import {
  binary,
  constant,
  freshName,
  indexOf,
  indexValue,
  isPlainIndex,
  isScatter,
  select,
} from '../graph/expressions.ts';
import type { Expression, Extent, LoopIndex, Program, Statement } from '../graph/types.ts';

export function makeDense(program: Program): Program {
  const statements = program.statements.map((statement) => {
    const tensor = program.tensors.get(statement.target);
    return tensor === undefined ? statement : (dense(statement, tensor.axes, tensor.axisNames) ?? statement);
  });
  const changed = statements.some((statement, place) => statement !== program.statements[place]);
  return changed ? withStatements(program, statements) : program;
}

function dense(
  statement: Statement,
  axes: readonly Extent[],
  axisNames: readonly string[],
): Statement | undefined {
  if (!isScatter(statement) || statement.combine !== 'sum' || statement.finish !== undefined)
    return undefined;
  const loops = new Map(statement.indices.map((index) => [index.name, index]));
  const taken = new Set(loops.keys());
  const indices: LoopIndex[] = [];
  let written: Expression | undefined;
  for (const [axis, index] of statement.write.entries()) {
    const extent = axes[axis] ?? 0;
    const name = isPlainIndex(index);
    const loop = name === undefined ? undefined : loops.get(name);
    if (loop !== undefined && loop.extent === extent) {
      loops.delete(loop.name);
      indices.push(loop);
      continue;
    }
    const own = freshName(axisNames[axis] || 'i', taken);
    taken.add(own);
    indices.push({ name: own, extent });
    const isHere = binary('equal', indexValue(indexOf(own)), indexValue(index));
    written = written === undefined ? isHere : binary('and', written, isHere);
  }
  // A loop that is left over would meet other values in the same element.
  if (loops.size > 0) return undefined;
  return {
    ...statement,
    indices,
    write: indices.map(({ name }) => indexOf(name)),
    combine: 'assign',
    body: written === undefined ? statement.body : select(written, statement.body, constant(0)),
  };
}
