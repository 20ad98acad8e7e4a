/**
 * How long a user waits for the compiler: the whole process from a cold start, and in a watch from the change of the file to
 * the module written, the 30 ms in which changes are collected among them. Figures are from `--timing`: where the machine is
 * busy, the least of several runs says most.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(new URL('../bin/compile.js', import.meta.url));
const digits = fileURLToPath(new URL('../examples/digits/digits.dsl', import.meta.url));

/** Of one compilation, in milliseconds. */
interface Run {
  readonly steps: ReadonlyMap<string, number>;
  readonly total: number;
  /** Of the processor, on all threads. */
  readonly processor: number;
}

/** The figures on standard output. */
export async function printCompileTime(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'chainrule-compile-time-'));
  try {
    const cold = Array.from({ length: 7 }, () => coldRun(folder));
    print('digits.dsl, cold, whole process', cold);
    const warm = await watchRuns(folder, 12);
    print('digits.dsl, in a watch, the first change', warm.slice(0, 1));
    print('digits.dsl, in a watch, later changes', warm.slice(1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(title: string, runs: readonly Run[]): void {
  const least = (of: (run: Run) => number): string =>
    Math.min(...runs.map(of))
      .toFixed(0)
      .padStart(5);
  const [best] = runs.toSorted((a, b) => a.total - b.total);
  const most = [...(best?.steps ?? [])].toSorted(([, a], [, b]) => b - a).slice(0, 6);
  console.log(
    `${title.padEnd(42)}${least(({ total }) => total)} ms, processor ${least(({ processor }) => processor)} ms` +
      (runs.length === 1 ? '' : `, the least of ${runs.length}`),
  );
  console.log(`    ${most.map(([step, milliseconds]) => `${step} ${milliseconds.toFixed(0)}`).join(', ')}`);
}

interface Report {
  readonly timing: readonly { readonly step: string; readonly milliseconds: number }[];
  readonly processor: number;
}

const runOf = ({ timing, processor }: Report): Run => ({
  steps: new Map(timing.map(({ step, milliseconds }) => [step, milliseconds])),
  total: timing.reduce((all, { milliseconds }) => all + milliseconds, 0),
  processor,
});

function coldRun(folder: string): Run {
  const words = [compiler, digits, '-o', join(folder, 'cold'), '--timing', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`compile ended with ${status}: ${stderr}`);
  const [report] = JSON.parse(stdout) as [Report];
  return runOf(report);
}

/** Changes of a size, by which nearly every function changes, and of a rate, by which few do, in turns. */
async function watchRuns(folder: string, changes: number): Promise<Run[]> {
  const text = readFileSync(digits, 'utf8');
  const file = join(folder, 'digits.dsl');
  writeFileSync(file, text);
  const words = [compiler, file, '-o', join(folder, 'warm'), '--watch', '--timing', '--json'];
  const child = spawn(process.execPath, words);
  let printed = '';
  let watching = 0;
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  child.stderr.on('data', (data: Buffer) => (watching += data.toString().split('watching').length - 1));
  const isWatching = async (times: number): Promise<void> => {
    while (watching < times) await new Promise((done) => setTimeout(done, 20));
  };
  try {
    await isWatching(1);
    for (let change = 0; change < changes; change++) {
      const changed =
        change % 2 === 0
          ? text.replace('hidden = 128', `hidden = ${129 + change}`)
          : text.replace('rate = 1e-3', `rate = ${change}e-4`);
      if (changed === text) throw new Error('digits.dsl is not what it was: nothing changed');
      writeFileSync(file, changed);
      await isWatching(change + 2);
    }
  } finally {
    child.kill();
  }
  const reports = printed.split(/^(?=\[$)/m).map((each) => JSON.parse(each) as [Report]);
  return reports.slice(1).map(([report]) => runOf(report));
}
