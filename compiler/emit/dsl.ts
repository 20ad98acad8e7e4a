/** @file The gradient of a program as a program of the same language. */
import { printProgram } from '../graph/print.ts';
import type { Program } from '../graph/types.ts';

/** The whole program, forward and backward: it can be read, compiled, and differentiated again. */
export function emitGradient(program: Program): string {
  const pairs = [...program.gradients].map(
    ([parameter, gradient]) => `//   ${gradient} is the gradient of ${parameter}`,
  );
  const heading =
    program.loss === undefined
      ? [`// ${program.name} has no loss, so that there is no gradient.`]
      : [`// ${program.name} with the gradient of its ${program.loss}:`, ...pairs];
  return `${heading.join('\n')}\n${printProgram(program)}`;
}
