/**
 * The memory of a training step: the workspace beside what must be kept at the worst moment, and the heap over many steps.
 */
import { evaluateSize } from '../compiler/schedule/integers.ts';
import { memoryOf } from '../compiler/schedule/memory.ts';
import type { LoopProgram } from '../compiler/schedule/types.ts';
import { compileWorkload } from './chainrule.ts';
import { loopsOf } from './functions.ts';
import { ownSeconds } from './measure.ts';
import { loadWorkload, type Workload } from './workloads.ts';

/** What the workspace may be of the lower bound. */
const limit = 1.3;

/** Bytes of all intermediates, if none shared the place of another. */
function bytesApart({ buffers, batch }: LoopProgram, rows: number): number {
  const bytesOf: Readonly<Record<string, number>> = { workspace: 4, doubles: 8, integers: 4 };
  const extents = new Map(batch === undefined ? [] : [[batch, rows]]);
  return [...buffers.values()]
    .filter(({ sameAs }) => sameAs === undefined)
    .reduce((sum, { pool, size }) => sum + evaluateSize(size, extents) * (bytesOf[pool] ?? 0), 0);
}

/** The steps of a run, or as many as take so many seconds of the processor. */
const most = { steps: 10_000, seconds: 5, runs: 12 };

/**
 * Bytes that steps on one row leave on the heap, in the best of some runs: until V8 has optimised a function its numbers are
 * boxed, and on a busy machine that takes a while.
 *
 * @param least steps of a run, however long they take
 */
async function heapGrowth(workload: Workload, least: number): Promise<{ steps: number; growth: number }> {
  const { program, step } = await compileWorkload(workload);
  let taken = 0;
  // nothing but steps in this function, so that V8 has no reason to give it up
  const run = (steps: number): void => {
    for (let k = 0; k < steps; k++) {
      program.forward(1, taken, 0);
      program.backward(1);
      program.update(taken++, 1);
    }
  };
  step(0);
  const end = ownSeconds() + most.seconds;
  let steps = 1;
  while (ownSeconds() < end) {
    run(steps);
    steps = Math.min(2 * steps, most.steps);
  }
  steps = Math.max(steps, least);
  let growth = Infinity;
  for (let k = 0; k < most.runs && !isFlat(growth, steps); k++) {
    const before = process.memoryUsage().heapUsed;
    run(steps);
    growth = Math.min(growth, Math.abs(process.memoryUsage().heapUsed - before));
  }
  return { steps, growth };
}

/** A boxed number, a view or a closure a step would be more; asking for the size of the heap takes some bytes, too. */
const isFlat = (growth: number, steps: number): boolean => growth < 8 * steps + 1000;

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)}`.padStart(10);

/** The table on standard output; the heap over `steps` at least. */
export async function printMemory(workloads: readonly string[], steps: number): Promise<void> {
  console.log('kB of intermediates           apart   workspace   needed at once   ratio   heap');
  let isWithin = true;
  for (const name of workloads) {
    const workload = loadWorkload(name);
    const loops = loopsOf(workload);
    const { bytes, least, ratio } = memoryOf(loops, workload.batch);
    const apart = bytesApart(loops, workload.batch);
    const { steps: taken, growth } = await heapGrowth(workload, steps);
    if (ratio > limit) isWithin = false;
    console.log(
      `${`${workload.id} ${workload.title}`.padEnd(26)}${kilobytes(apart)}  ${kilobytes(bytes)}       ` +
        `${kilobytes(least)}   ${ratio.toFixed(2).padStart(5)}   ` +
        `${isFlat(growth, taken) ? 'flat' : 'GROWS'}: ${growth} bytes in ${taken} steps`,
    );
  }
  console.log(
    `The workspace is ${isWithin ? 'within' : 'NOT WITHIN'} ${limit} times what is needed at the worst moment.`,
  );
}
