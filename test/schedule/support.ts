/** Runs a program through its loops, and through the interpreter, for comparison. */
import { interpret } from '../../compiler/graph/interpret.ts';
import { evaluationResults, nextValues } from '../../compiler/graph/results.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import type { ScheduleOptions } from '../../compiler/schedule/index.ts';
import { allocate, runSteps } from '../../compiler/schedule/run.ts';
import type { Memory } from '../../compiler/schedule/run.ts';
import type { LoopProgram } from '../../compiler/schedule/types.ts';

export interface Compared {
  readonly name: string;
  readonly expected: readonly number[];
  readonly got: readonly number[];
}

export type Tensors = Readonly<Record<string, ArrayLike<number>>>;

/** The memory of a loop program with inputs, parameters and states set. */
export function memoryFor(
  loops: LoopProgram,
  tensors: Tensors,
  extents: Readonly<Record<string, number>>,
): Map<string, Memory> {
  const memory = allocate(loops, extents);
  for (const [name, values] of Object.entries(tensors)) memory.get(name)?.set(values);
  return memory;
}

/** Loss, metrics and gradients after a training step, and outputs after a prediction, against the interpreter. */
export function compareWithInterpreter(
  program: Program,
  tensors: Tensors,
  extents: Readonly<Record<string, number>>,
  options: Pick<ScheduleOptions, 'without'> = {},
): Compared[] {
  const loops = schedule(program, { dtype: 'f64', batch: 'n', ...options });
  const truth = interpret(program, { tensors, extents });
  const numbers = Object.fromEntries(
    [...program.tensors.values()]
      .filter((tensor) => tensor.role === 'scalar')
      .map(({ name }) => [name, tensors[name]?.[0] ?? Number.NaN]),
  );
  const training = memoryFor(loops, tensors, extents);
  runSteps([...loops.forward, ...loops.backward], loops.functions, training, extents, numbers);
  const evaluation = memoryFor(loops, tensors, extents);
  runSteps(loops.evaluate ?? loops.forward, loops.functions, evaluation, extents, numbers);
  const prediction = memoryFor(loops, tensors, extents);
  runSteps(loops.predict, loops.functions, prediction, extents, numbers);
  const compared: Compared[] = [];
  const compare = (name: string, memory: Map<string, Memory>, own = name): void => {
    compared.push({ name, expected: [...(truth.get(name) ?? [])], got: [...(memory.get(own) ?? [])] });
  };
  if (program.loss !== undefined) compare(program.loss, training);
  for (const name of program.metrics) compare(name, training);
  for (const name of evaluationResults(program)) compare(name, evaluation);
  for (const name of nextValues(program).values()) compare(name, training);
  for (const gradient of program.gradients.values()) compare(gradient, training);
  for (const name of program.outputs) compare(name, prediction);
  return compared;
}

/** The greatest difference, relative to the size of the values; infinite where one is not a number and the other is. */
export function worstDifference({ expected, got }: Compared): number {
  if (expected.length !== got.length) return Infinity;
  const scale = Math.max(1, ...expected.filter(Number.isFinite).map(Math.abs));
  return expected.reduce((worst, value, place) => {
    const other = got[place] ?? Number.NaN;
    if (Object.is(value, other) || value === other) return worst;
    const difference = Math.abs(value - other) / scale;
    return Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }, 0);
}
