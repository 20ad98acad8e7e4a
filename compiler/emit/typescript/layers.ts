/** @file What `summary()` prints: one row for each tensor that is computed on the way to the outputs. */
import { neededFor } from '../../graph/builder.ts';
import { tensorsReadBy } from '../../graph/expressions.ts';
import { trainingResults } from '../../graph/results.ts';
import type { Statement } from '../../graph/types.ts';
import type { LayerDescription, WorkDescription } from '../../../runtime/types.ts';
import { flopsOf } from '../../graph/flops.ts';
import type { EmitRequest } from './request.ts';
import { workspaceBytes } from '../../schedule/work.ts';

/**
 * Statements that a layer leaves to the next one (a maximum taken out before, what two share, what is kept for the backward
 * pass) are counted with the first that has a place of its own.
 */
export function describeLayers({ program, loops, model }: EmitRequest): LayerDescription[] {
  const roots = program.outputs.length > 0 ? program.outputs : trainingResults(program);
  const needed = neededFor(program.statements, roots);
  const layers: LayerDescription[] = [];
  let waiting: Statement[] = [];
  for (const statement of program.statements) {
    if (!needed.has(statement.target)) continue;
    waiting.push(statement);
    const buffer = loops.buffers.get(statement.target);
    const isKept = statement.origin.history.at(-1) === 'kept';
    if (buffer === undefined || isKept) continue;
    const read = new Set(waiting.flatMap((each) => [...tensorsReadBy(each)]));
    const batched = model.batch !== undefined && buffer.axes[0] === model.batch;
    layers.push({
      name: program.tensors.get(statement.target)?.knownAs ?? statement.target,
      shape: buffer.axes.flatMap((axis) => (typeof axis === 'number' ? axis : [])),
      batched,
      parameters: [...read].filter((name) => program.tensors.get(name)?.role === 'parameter'),
      flops: flopsOf(waiting),
    });
    waiting = [];
  }
  return layers;
}

/** Of a whole step: operations of the backward pass, and the memory it runs in. */
export function describeWork({ program, loops }: EmitRequest): WorkDescription {
  const backward = flopsOf(program.statements.filter(({ phase }) => phase === 'backward'));
  const bytes = [...workspaceBytes(loops)].toSorted(([a], [b]) => a - b).map(([, count]) => count);
  while (bytes.at(-1) === 0) bytes.pop();
  return { ...(backward.length === 0 ? {} : { backward }), bytes };
}
