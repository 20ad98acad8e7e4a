/** Where the time of a compilation goes, for --timing: the compiler says when a step has ended, here is the clock. */

export interface StepTime {
  readonly step: string;
  readonly milliseconds: number;
}

/** Times of named steps that follow one another; a step that comes again is added to its first time. */
export class Timing {
  private readonly spent = new Map<string, number>();
  private last: number;
  private readonly busyBefore: number;
  private busyAfter: number;

  /** @param since where the first step begins, on the clock of `performance.now()`; 0: where the process began */
  constructor(since: number) {
    this.last = since;
    this.busyBefore = since === 0 ? 0 : busy();
    this.busyAfter = this.busyBefore;
  }

  /** What was done since the step before was this one. */
  readonly ended = (step: string): void => {
    const now = performance.now();
    this.spent.set(step, (this.spent.get(step) ?? 0) + now - this.last);
    this.last = now;
    this.busyAfter = busy();
  };

  /** Milliseconds that the processor worked for this, on all threads: less depends on what else the machine does. */
  get processor(): number {
    return Number((this.busyAfter - this.busyBefore).toFixed(2));
  }

  /** In the order in which the steps first ended. */
  get steps(): StepTime[] {
    return [...this.spent].map(([step, milliseconds]) => ({
      step,
      milliseconds: Number(milliseconds.toFixed(2)),
    }));
  }
}

function busy(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** One line a step with its share, and the total; the steps of several files are added up. */
export function printTiming(title: string, timings: readonly Timing[]): string {
  const total = new Map<string, number>();
  for (const { step, milliseconds } of timings.flatMap(({ steps }) => steps))
    total.set(step, (total.get(step) ?? 0) + milliseconds);
  const all = [...total.values()].reduce((sum, milliseconds) => sum + milliseconds, 0);
  const rows = [...total, ['total', all] as const].map(
    ([step, milliseconds]) =>
      `  ${step.padEnd(16)}${milliseconds.toFixed(1).padStart(9)} ms${((100 * milliseconds) / all).toFixed(1).padStart(7)} %`,
  );
  const processor = timings.reduce((sum, timing) => sum + timing.processor, 0);
  const last = `  ${'processor'.padEnd(16)}${processor.toFixed(1).padStart(9)} ms, all threads`;
  return [title, ...rows, last, ''].join('\n');
}
