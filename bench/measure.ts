/**
 * How a step is timed, whoever takes it.
 */
import { readFileSync } from 'node:fs';

/** Trains on batch i and gives the loss that the batch had before. */
export type Step = (i: number) => number | Promise<number>;

export interface Timing {
  /** Median of samples of one step, or of as many as take 5 ms. */
  readonly ms_per_step: number;
  /** The same of the processor's time of this process, which other work on the machine disturbs less. */
  readonly cpu_ms_per_step: number;
  readonly steps: number;
  /** The share of the time that other processes took of the CPUs this one may run on; absent where it is unknown. */
  readonly foreign?: number;
}

/** The losses on batch 0 after no, one and twenty steps on it. */
export interface Losses {
  readonly loss0: number;
  readonly loss1: number;
  readonly loss20: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Takes 21 steps. */
export async function takeLosses(step: Step): Promise<Losses> {
  const losses: number[] = [];
  for (let k = 0; k <= 20; k++) losses.push(await step(0));
  return { loss0: losses[0]!, loss1: losses[1]!, loss20: losses[20]! };
}

/** Seconds that the CPUs of this process were busy, whoever used them; undefined but on Linux. */
function busySeconds(): number | undefined {
  let stat: string;
  let status: string;
  try {
    stat = readFileSync('/proc/stat', 'utf8');
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return undefined;
  }
  const allowed = new Set(
    (/Cpus_allowed_list:\s*(\S+)/.exec(status)?.[1] ?? '').split(',').flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, k) => `cpu${first + k}`);
    }),
  );
  let ticks = 0;
  for (const line of stat.split('\n')) {
    const [name = '', ...counts] = line.split(/\s+/);
    if (!allowed.has(name)) continue;
    for (const k of [0, 1, 2, 5, 6, 7]) ticks += Number(counts[k]); // user, nice, system, interrupts, stolen
  }
  return ticks / 100;
}

/** Of the processor, for this process. */
export function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * A warm-up of a second and three steps at least, then `seconds` and three samples at least, both of the processor's time of
 * this process (but at most four times that on the clock). Steps go through all batches.
 */
export async function timeSteps(step: Step, batches: number, seconds: number): Promise<Timing> {
  let taken = 0;
  const train = async (count: number): Promise<void> => {
    for (let k = 0; k < count; k++) {
      const loss = step(taken++ % batches);
      if (typeof loss !== 'number') await loss;
    }
  };
  const watch = (limit: number): (() => boolean) => {
    const [begin, own] = [performance.now(), ownSeconds()];
    return () => ownSeconds() - own < limit && performance.now() - begin < 4000 * limit;
  };
  const begin = ownSeconds();
  const isCold = watch(1);
  while (isCold() || taken < 3) await train(1);
  const count = Math.max(1, Math.round(0.005 / ((ownSeconds() - begin) / taken)));
  const wall: number[] = [];
  const processor: number[] = [];
  const busyBefore = busySeconds();
  const start = { time: performance.now(), own: ownSeconds() };
  let last = start;
  const goesOn = watch(seconds);
  while (goesOn() || wall.length < 3) {
    await train(count);
    const now = { time: performance.now(), own: ownSeconds() };
    wall.push((now.time - last.time) / count);
    processor.push(((now.own - last.own) * 1000) / count);
    last = now;
  }
  const busyAfter = busySeconds();
  const foreign =
    busyBefore === undefined || busyAfter === undefined
      ? undefined
      : (busyAfter - busyBefore - (last.own - start.own)) / ((last.time - start.time) / 1000);
  return {
    ms_per_step: median(wall),
    cpu_ms_per_step: median(processor),
    steps: wall.length * count,
    ...(foreign === undefined ? {} : { foreign: Number(foreign.toFixed(3)) }),
  };
}
