/**
 * The part of a program that gives its outputs when the model is used: no loss, no metric, no next value of a state, no
 * statement of training alone, and of inputs, parameters and states those that are read.
 */
import { neededFor } from './builder.ts';
import type { Program } from './types.ts';
import { INFERENCE_HISTORY, renameProgram } from './variants.ts';

export function inferenceOf(program: Program): Program {
  const needed = neededFor(program.statements, program.outputs);
  const part: Program = {
    name: program.name,
    tensors: new Map([...program.tensors].filter(([name]) => needed.has(name))),
    statements: program.statements.filter(({ target }) => needed.has(target)),
    outputs: program.outputs,
    metrics: [],
    gradients: new Map(),
  };
  return renameProgram(part, plainNames(part));
}

/** What was called `h_inference` beside the `h` of training is `h` where that has gone. */
function plainNames({ statements, tensors }: Program): Map<string, string> {
  const names = new Map<string, string>();
  for (const { target, origin } of statements) {
    if (!origin.history.includes(INFERENCE_HISTORY)) continue;
    const plain = target.replace(/_inference\d*$/, '');
    if (plain !== target && !tensors.has(plain)) names.set(target, plain);
  }
  return names;
}
