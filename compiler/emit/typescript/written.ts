/** @file Which tensors of the program a step writes. */
import type { Statement } from '../../graph/types.ts';
import type { LoopProgram, Step } from '../../schedule/types.ts';

/** Targets of real numbers, in the order of their statements. */
export function writtenBy(
  step: Step,
  { functions, buffers }: LoopProgram,
  byTarget: ReadonlyMap<string, Statement>,
): string[] {
  const parameters = functions.find(({ name }) => name === step.function)?.buffers ?? [];
  const written = new Set(step.buffers.filter((_, k) => parameters[k]?.access !== 'read'));
  return [...byTarget.keys()].filter((name) => written.has(name) && buffers.get(name)?.element !== 'integer');
}
