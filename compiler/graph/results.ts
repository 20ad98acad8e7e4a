/** What a program is computed for: the tensors that must survive every pass under their names. */
import { tensorsReadBy } from './expressions.ts';
import type { Program } from './types.ts';

/** State -> the tensor with its next value, which is called as the state with a prime. */
export function nextValues({ tensors }: Program): Map<string, string> {
  const next = new Map<string, string>();
  for (const { name, role } of tensors.values())
    if (role === 'state' && tensors.has(`${name}'`)) next.set(name, `${name}'`);
  return next;
}

/** Loss and metrics as training computes them. */
export function trainingResults({ loss, metrics }: Program): string[] {
  return [...(loss === undefined ? [] : [loss]), ...metrics];
}

/** Loss and metrics as `evaluate` gives them: of the inference variant, where the program has one. */
export function evaluationResults(program: Program): string[] {
  return trainingResults({ ...program, ...program.evaluation });
}

/** The results of blocks that are computed again from them: they must stay tensors of their own. */
export function checkpointResults({ statements }: Program): Set<string> {
  return new Set(statements.flatMap(({ checkpoint }) => checkpoint?.block ?? []));
}

/** The tensors whose cotangents are edited: what reads them must go on doing so, or the edit would be passed by. */
export function editedTensors({ edits = [] }: Program): Set<string> {
  return new Set(edits.map(({ tensor }) => tensor));
}

/** What the edits of cotangents read of the program. */
export function readByEdits({ edits = [], tensors }: Program): string[] {
  return edits
    .flatMap(({ statements }) => statements.flatMap((statement) => [...tensorsReadBy(statement)]))
    .filter((name) => tensors.has(name));
}

/** Outputs, loss, metrics of both variants, gradients, next values of states, what edits of cotangents read. */
export function pinned(program: Program): Set<string> {
  return new Set([
    ...program.outputs,
    ...trainingResults(program),
    ...evaluationResults(program),
    ...program.gradients.values(),
    ...nextValues(program).values(),
    ...readByEdits(program),
  ]);
}
