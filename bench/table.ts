/**
 * The lines of a run as tables.
 */
import { median, type Losses, type Timing } from './measure.ts';
import { specifications } from './workloads.ts';

/** One line of the results: of a check, of a run, or of a failure. */
export interface Line extends Partial<Losses>, Partial<Timing> {
  readonly peer: string;
  readonly workload: string;
  readonly threads: 1;
  /** Operations of a step. */
  readonly operations?: number;
  readonly error?: string;
}

interface Time {
  readonly ms: number;
  /** Nobody else had much of the CPU. */
  readonly isClean: boolean;
}

const cleanShare = 0.05;

/**
 * The median over the repetitions that had the CPU for themselves. Without one, the median of the processor's time, which
 * counts a step alone, but not that others have emptied the caches in between.
 */
export function timeOf(lines: readonly Line[], peer: string, workload: string): Time | undefined {
  const runs = lines.filter((line) => line.peer === peer && line.workload === workload);
  const times = (of: readonly Line[], key: 'ms_per_step' | 'cpu_ms_per_step'): number[] =>
    of.flatMap((line) => line[key] ?? []);
  const clean = times(
    runs.filter(({ foreign = 0 }) => foreign <= cleanShare),
    'ms_per_step',
  );
  if (clean.length > 0) return { ms: median(clean), isClean: true };
  const disturbed = times(runs, 'cpu_ms_per_step');
  return disturbed.length > 0 ? { ms: median(disturbed), isClean: false } : undefined;
}

export function show(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toPrecision(value >= 0.1 ? 3 : 2);
}

/** Whether we are to be faster than the peer, beside the bars for PyTorch. */
function mustLose(peer: string, workload: string): boolean {
  return peer.startsWith('tfjs') || (peer.startsWith('jax') && ['W1', 'W2', 'W4', 'W5'].includes(workload));
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  rows.forEach((row, r) => {
    console.log(
      `| ${row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join(' | ')} |`,
    );
    if (r === 0)
      console.log(
        `| ${widths.map((width, k) => (k === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`,
      );
  });
}

/**
 * @param peak what plain JavaScript can do, in GFLOP/s
 * @returns the workloads that miss a bar, or in which another engine for JavaScript is faster
 */
export function printTables(lines: readonly Line[], peak: number): string[] {
  const ids = Object.keys(specifications).filter((id) => lines.some(({ workload }) => workload === id));
  const peers = [...new Set(lines.map(({ peer }) => peer))].filter((peer) => peer !== 'chainrule');
  const missed: string[] = [];
  const behind = new Set<string>();
  const times = [['ms a step', 'chainrule', ...peers]];
  const ratios = [['peer / ours', 'GFLOP/s', 'of peak', ...peers, 'bar']];
  for (const id of ids) {
    const { title, bar } = specifications[id]!;
    const name = `${id} ${title}`;
    const ours = timeOf(lines, 'chainrule', id);
    const cell = (peer: string): string => {
      const time = timeOf(lines, peer, id);
      const hasFailed = lines.some(
        (line) => line.peer === peer && line.workload === id && line.error !== undefined,
      );
      if (time === undefined) return hasFailed ? 'failed' : '-';
      return `${time.isClean ? '' : '~'}${show(time.ms)}`;
    };
    times.push([name, ...['chainrule', ...peers].map(cell)]);
    if (ours === undefined) continue;
    const counted =
      lines.find((line) => line.peer === 'chainrule' && line.workload === id)?.operations ?? NaN;
    const rate = counted / ours.ms / 1e6;
    const ratioTo = (peer: string): string => {
      const time = timeOf(lines, peer, id);
      if (time === undefined) return '-';
      const ratio = time.ms / ours.ms;
      const least = peer === 'torch' ? bar : mustLose(peer, id) ? 1 : undefined;
      const isMissed = least !== undefined && ratio < least;
      if (isMissed || (peer !== 'torch' && ratio < 1)) behind.add(id);
      if (isMissed) missed.push(`${name}: ${peer} / ours ${show(ratio)}, to be ${least}`);
      return `${show(ratio)}${isMissed ? ' *' : ''}`;
    };
    ratios.push([
      name,
      rate.toFixed(2),
      `${((100 * rate) / peak).toFixed(0)} %`,
      ...peers.map(ratioTo),
      bar === undefined ? '' : String(bar),
    ]);
  }
  console.log('');
  print(times);
  console.log('\n~ others had the CPU at times: the time of the processor\n');
  print(ratios);
  console.log(
    `\nbar: of torch / ours. Above 1 we are faster. Scalar peak of JavaScript here: ${peak.toFixed(1)} GFLOP/s.`,
  );
  if (missed.length > 0) console.log(`\n* missed:\n  ${missed.join('\n  ')}`);
  return [...behind];
}
