/**
 * The tables of what a step's time is spent on: by kind of work, and the ten functions that take most.
 */
import { compileWorkload, type Options } from './chainrule.ts';
import { byPart, knownFunctions, loopsOf, parts, sharesOf, takeProfile, type Part } from './functions.ts';
import { ownSeconds, timeSteps } from './measure.ts';
import { measurePeak, runProcess, script } from './peers.ts';
import { show } from './table.ts';
import { operations } from './work.ts';
import { specifications, type Workload } from './workloads.ts';

/** A line of a table. */
export interface Row {
  /** Of the step's time. */
  readonly share: number;
  /** In GFLOP/s, of kernels and sums of products. */
  readonly rate?: number;
}

export interface FunctionRow extends Row {
  readonly name: string;
  readonly calls: number;
  /** Its kernel, or how else it is done. */
  readonly how: string;
  readonly places: string;
}

export interface Spent {
  readonly workload: string;
  /** The processor's time of a step while it was watched, in milliseconds. */
  readonly ms: number;
  readonly steps: number;
  /** All operations of a step but the optimizer's, in GFLOP/s. */
  readonly rate: number;
  readonly parts: Readonly<Record<Part, Row>>;
  readonly functions: readonly FunctionRow[];
}

/** Runs steps for so many seconds, three at least, after a warm-up. */
export async function spentOf(workload: Workload, seconds: number, options: Options = {}): Promise<Spent> {
  const { step, description } = await compileWorkload(workload, options);
  const known = knownFunctions(loopsOf(workload, options), workload.batch);
  const batches = workload.batches.length;
  let steps = 3;
  let ms = 0;
  const profile = await takeProfile(
    async () => {
      const { cpu_ms_per_step: each } = await timeSteps(step, batches, seconds / 4);
      steps = Math.max(steps, Math.round((1000 * seconds) / each));
    },
    () => {
      const begin = ownSeconds();
      for (let k = 0; k < steps; k++) step(k % batches);
      ms = (1000 * (ownSeconds() - begin)) / steps;
    },
  );

  const fewest = 50 / (profile.samples?.length ?? 0); // of fewer samples a rate would say nothing
  const rateOf = (work: number, share: number): { rate?: number } =>
    work > 0 && share >= fewest ? { rate: work / (share * ms) / 1e6 } : {};
  const workOf = (part: Part): number =>
    [...known.functions.values()].reduce((sum, each) => sum + (each.part === part ? each.operations : 0), 0);
  const works: Partial<Record<Part, number>> = { kernels: workOf('around'), products: workOf('products') };
  const shares = sharesOf(profile, known);
  return {
    workload: workload.id,
    ms,
    steps,
    rate: operations(description, workload.batch) / ms / 1e6,
    parts: byPart((part) => {
      const share = shares.parts[part];
      return { share, ...rateOf(works[part] ?? 0, share) };
    }),
    functions: shares.functions.slice(0, 10).map(({ name, own, inKernels, kernels }) => {
      const {
        part = 'optimizer',
        calls = 1,
        operations: work = 0,
        form = 'loops',
        places = '',
      } = known.functions.get(name) ?? {};
      const isRated = part === 'around' || part === 'products';
      return {
        name,
        share: own + inKernels,
        calls,
        how: kernels[0] ?? form,
        places,
        ...(isRated ? rateOf(work, own + inKernels) : {}),
      };
    }),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(7);
const milliseconds = (value: number): string => show(value).padStart(8);
const rateText = ({ rate }: Row): string =>
  (rate === undefined ? '' : `${rate.toFixed(1)} GFLOP/s`).padStart(13);

/** @param peak what plain JavaScript can do, in GFLOP/s */
export function spentText(
  { workload, ms, steps, rate, parts: rows, functions }: Spent,
  peak: number,
): string {
  const { title } = specifications[workload]!;
  const ofPeak = (value: number): string =>
    `${value.toFixed(1)} GFLOP/s, ${((100 * value) / peak).toFixed(0)} % of the peak`;
  const width = Math.max(...functions.map(({ name }) => name.length));
  const widthOfHow = Math.max(...functions.map(({ how }) => how.length));
  return [
    `${workload} ${title}: ${show(ms)} ms a step of the processor, ${ofPeak(rate)} (${steps} steps)`,
    ...Object.entries(parts).flatMap(([part, words]) => {
      const row = rows[part as Part];
      if (row.share < 0.0005) return [];
      return [`  ${percent(row.share)} ${milliseconds(row.share * ms)} ms ${rateText(row)}  ${words}`];
    }),
    '  of that, the functions that take most',
    ...functions.map((row) =>
      [
        `  ${percent(row.share)} ${milliseconds(row.share * ms)} ms ${rateText(row)} `,
        `${row.name.padEnd(width)}  ${`${row.calls} x`.padStart(4)}`,
        row.how.padEnd(widthOfHow),
        row.places,
      ]
        .join('  ')
        .trimEnd(),
    ),
  ].join('\n');
}

export interface SpentOptions {
  /** In GFLOP/s; measured here if it is not given. */
  readonly peak?: number;
  readonly cpu: number;
  readonly seconds: number;
  readonly without: readonly string[];
}

/** A table for each workload, in a process of its own, on standard output. */
export function printSpent(
  workloads: readonly string[],
  { cpu, seconds, without, peak = measurePeak(cpu) }: SpentOptions,
): void {
  console.log(
    `Scalar peak of JavaScript here: ${peak.toFixed(1)} GFLOP/s. A rate is that of sums of products.`,
  );
  for (const workload of workloads) {
    const left = without.flatMap((pass) => ['--no-pass', pass]);
    const words = ['--workload', workload, '--seconds', String(seconds), ...left];
    const spent = runProcess<Spent>(script('functions', 'functions.ts', words), [], cpu);
    console.log(`\n${spentText(spent, peak)}`);
  }
}
