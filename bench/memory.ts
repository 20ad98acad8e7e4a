/**
 * The memory of a training step: the workspace beside what must be kept at the worst moment, and the heap over many steps.
 */
import { analyse } from '../compiler/index.ts';
import { schedule } from '../compiler/schedule/index.ts';
import type { Buffer, LoopProgram, Size, Step } from '../compiler/schedule/types.ts';
import { compileWorkload, modelSource } from './chainrule.ts';
import { loadWorkload, type Workload } from './workloads.ts';

/** What the workspace may be of the lower bound. */
const limit = 1.3;

const bytesOf = { workspace: 4, doubles: 8, integers: 4 } as const;
type Pool = keyof typeof bytesOf;

const isPool = (pool: string): pool is Pool => pool in bytesOf;

function elements({ constant, coefficient = 0, quadratic = 0 }: Size, batch: number): number {
  return constant + coefficient * batch + quadratic * batch ** 2;
}

/** The first and the last step of a list that touch each buffer in a shared pool. */
function lifetimes(
  { buffers, functions }: LoopProgram,
  steps: readonly Step[],
): Map<Buffer, { from: number; to: number }> {
  const byName = new Map(functions.map((each) => [each.name, each]));
  const alive = new Map<Buffer, { from: number; to: number }>();
  steps.forEach((step, at) => {
    step.buffers.forEach((name, k) => {
      const buffer = buffers.get(name);
      if (buffer === undefined || !isPool(buffer.pool)) return;
      const access = byName.get(step.function)?.buffers[k]?.access;
      const interval = alive.get(buffer);
      // what is drawn is there before the first step
      const from = interval?.from ?? (access === 'read' ? 0 : at);
      alive.set(buffer, { from, to: at });
    });
  });
  return alive;
}

/** How much of a line is covered by intervals. */
function covered(intervals: readonly (readonly [number, number])[]): number {
  let total = 0;
  let end = -Infinity;
  for (const [from, to] of intervals.toSorted((a, b) => a[0] - b[0])) {
    total += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return total;
}

export interface MemoryFigures {
  /** Bytes of all intermediates, each in a place of its own. */
  readonly apart: number;
  /** Bytes of the pools of intermediates. */
  readonly workspace: number;
  /**
   * Bytes that hold something still needed, at the worst moment of a list of steps: no order of places can do with less. What
   * is written over what it is computed from counts once.
   */
  readonly bound: number;
}

/** Of intermediates, without inputs, parameters, gradients and states. */
export function memoryOf(loops: LoopProgram, batch: number): MemoryFigures {
  const pools = Object.keys(bytesOf).filter(isPool);
  const workspace = pools.reduce((sum, pool) => sum + elements(loops.pools[pool], batch) * bytesOf[pool], 0);
  const inPools = [...loops.buffers.values()].filter(({ pool }) => isPool(pool));
  const apart = inPools.reduce(
    (sum, { pool, size }) => sum + elements(size, batch) * (isPool(pool) ? bytesOf[pool] : 0),
    0,
  );
  let bound = 0;
  for (const steps of [[...loops.forward, ...loops.backward], loops.evaluate ?? [], loops.predict]) {
    const alive = [...lifetimes(loops, steps)];
    for (let at = 0; at < steps.length; at++) {
      let bytes = 0;
      for (const pool of pools) {
        const places = alive
          .filter(([buffer, { from, to }]) => buffer.pool === pool && from <= at && at <= to)
          .map(([{ offset, size }]) => {
            const begin = elements(offset, batch);
            return [begin, begin + elements(size, batch)] as const;
          });
        bytes += covered(places) * bytesOf[pool];
      }
      bound = Math.max(bound, bytes);
    }
  }
  return { apart, workspace, bound };
}

function loopsOf(workload: Workload): LoopProgram {
  const [analysed] = analyse(modelSource(workload)).models;
  if (analysed === undefined) throw new Error(`${workload.model}.dsl does not compile`);
  const { batch } = analysed.model;
  return schedule(analysed.program, { dtype: 'f32', ...(batch === undefined ? {} : { batch }) });
}

/** The steps of a run, or as many as take so long. */
const most = { steps: 10_000, milliseconds: 3000, runs: 6 };

/**
 * Bytes that steps on one row leave on the heap, in the best of some runs: until V8 has optimised a function its numbers are
 * boxed, and on a busy machine that takes a while.
 */
async function heapGrowth(workload: Workload): Promise<{ steps: number; growth: number }> {
  const { program, step } = await compileWorkload(workload);
  let taken = 0;
  const run = (steps: number): number => {
    const before = process.memoryUsage().heapUsed;
    for (let k = 0; k < steps; k++) {
      program.forward(1, taken, 0);
      program.backward(1);
      program.update(taken++, 1);
    }
    return Math.abs(process.memoryUsage().heapUsed - before);
  };
  step(0);
  const end = performance.now() + most.milliseconds;
  while (performance.now() < end) run(1);
  const steps = Math.min(most.steps, taken);
  let growth = Infinity;
  for (let k = 0; k < most.runs && !isFlat(growth, steps); k++) growth = Math.min(growth, run(steps));
  return { steps, growth };
}

/** A boxed number, a view or a closure a step would be more; asking for the size of the heap takes some bytes, too. */
const isFlat = (growth: number, steps: number): boolean => growth < 8 * steps + 1000;

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)}`.padStart(10);

/** The table on standard output. */
export async function printMemory(workloads: readonly string[]): Promise<void> {
  console.log('kB of intermediates           apart   workspace   needed at once   ratio   heap');
  let isWithin = true;
  for (const name of workloads) {
    const workload = loadWorkload(name);
    const { apart, workspace, bound } = memoryOf(loopsOf(workload), workload.batch);
    const { steps, growth } = await heapGrowth(workload);
    const ratio = workspace / bound;
    if (ratio > limit) isWithin = false;
    console.log(
      `${`${workload.id} ${workload.title}`.padEnd(26)}${kilobytes(apart)}  ${kilobytes(workspace)}       ` +
        `${kilobytes(bound)}   ${ratio.toFixed(2).padStart(5)}   ` +
        `${isFlat(growth, steps) ? 'flat' : 'GROWS'}: ${growth} bytes in ${steps} steps`,
    );
  }
  console.log(
    `The workspace is ${isWithin ? 'within' : 'NOT WITHIN'} ${limit} times what is needed at the worst moment.`,
  );
}
