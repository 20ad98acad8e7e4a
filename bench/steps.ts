/**
 * A training step of ours beside the peers': first the losses, which must agree, then the times, in turns.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeData } from './data.ts';
import { median, type Losses } from './measure.ts';
import { findPeers, measurePeak, runProcess, type Peer } from './peers.ts';
import { reference } from './reference.ts';
import { printSpent } from './spent.ts';
import { printTables, show, type Line } from './table.ts';
import { loadWorkload } from './workloads.ts';

export interface StepOptions {
  readonly workloads: readonly string[];
  /** Names, or beginnings of names. */
  readonly peers: readonly string[];
  readonly repetitions: number;
  readonly seconds: number;
  /** Runs of one peer before one that shared its CPU with others is let stand. */
  readonly tries: number;
  readonly cpu: number;
  readonly without: readonly string[];
  /** Where the lines go. */
  readonly results: string;
}

/** Relative. */
const tolerance = 1e-4;

/** The greatest relative difference of the losses after 1 and 20 steps, and before. */
export function difference(losses: Partial<Losses>, from: Losses): number {
  const keys = ['loss0', 'loss1', 'loss20'] as const;
  return Math.max(...keys.map((key) => Math.abs((losses[key] ?? NaN) - from[key]) / Math.abs(from[key])));
}

function attempt(peer: Peer, workload: string, words: readonly string[], cpu: number): Line {
  try {
    return runProcess<Line>(peer, ['--label', peer.name, '--workload', workload, ...words], cpu);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { peer: peer.name, workload, threads: 1, error: message };
  }
}

/** @returns whether all who took their losses agree; a peer that fails is only reported, ours must not */
function check(workload: string, peers: readonly Peer[], cpu: number, write: (line: Line) => void): boolean {
  const lines = peers.map((peer) => attempt(peer, workload, ['--check'], cpu));
  lines.forEach(write);
  const { loss0, loss1, loss20 } = lines.find(({ peer }) => peer === 'torch') ?? {};
  const measured =
    loss0 === undefined || loss1 === undefined || loss20 === undefined ? undefined : { loss0, loss1, loss20 };
  const from = measured ?? reference[workload]!;
  const whose = measured === undefined ? 'PyTorch as stored' : 'PyTorch';
  console.log(
    `${workload}  ${whose}: ${from.loss1.toPrecision(8)} after 1 step, ${from.loss20.toPrecision(8)} after 20`,
  );
  let agree = true;
  for (const line of lines) {
    const error = line.error;
    const far = difference(line, line.peer === 'torch' ? reference[workload]! : from);
    const isWrong = error === undefined ? !(far <= tolerance) : line.peer === 'chainrule';
    if (isWrong) agree = false;
    const found = error === undefined ? `differs by ${far.toExponential(1)}` : `failed: ${error}`;
    console.log(`    ${line.peer.padEnd(16)} ${found}${isWrong ? '   MISMATCH' : ''}`);
  }
  return agree;
}

/** @returns whether the losses agree */
export function compareSteps(options: StepOptions): boolean {
  const { workloads, cpu, seconds, tries, results } = options;
  const { peers: found, notes } = findPeers(options.without);
  const peers = found.filter(
    ({ name }) =>
      name === 'chainrule' ||
      options.peers.length === 0 ||
      options.peers.some((part) => name.startsWith(part)),
  );
  for (const note of notes) console.log(note);
  mkdirSync(dirname(results), { recursive: true });
  writeFileSync(results, '');
  const lines: Line[] = [];
  const write = (line: Line): void => {
    lines.push(line);
    appendFileSync(results, `${JSON.stringify(line)}\n`);
  };
  const taking = (workload: string): Peer[] => peers.filter(({ takes }) => takes(workload));

  console.log('\nlosses from equal weights');
  let agree = true;
  for (const workload of workloads) {
    writeData(loadWorkload(workload));
    if (!check(workload, taking(workload), cpu, write)) agree = false;
  }
  if (!agree) {
    console.log('\nThe losses do not agree, so nothing is timed.');
    return false;
  }

  console.log('\ntimes, ms a step');
  const failed = new Set(
    lines.filter(({ error }) => error !== undefined).map((line) => `${line.peer} ${line.workload}`),
  );
  const peaks: number[] = [];
  for (let repetition = 1; repetition <= options.repetitions; repetition++) {
    peaks.push(measurePeak(cpu));
    for (const workload of workloads) {
      const figures: string[] = [];
      for (const peer of taking(workload)) {
        if (failed.has(`${peer.name} ${workload}`)) continue;
        for (let tried = 1; tried <= tries; tried++) {
          const line = attempt(peer, workload, ['--seconds', String(seconds)], cpu);
          write(line);
          if (tried === tries || (line.foreign ?? 0) <= 0.05) {
            figures.push(`${peer.name} ${show(line.ms_per_step ?? NaN)}`);
            break;
          }
        }
      }
      console.log(`${repetition}  ${workload}  ${figures.join('  ')}`);
    }
  }
  const peak = median(peaks);
  const behind = printTables(lines, peak);
  console.log(`\nThe lines of this run are in ${results}`);
  if (behind.length > 0) {
    console.log('\nWhere a bar is missed or another engine for JavaScript is faster, the time is spent on\n');
    printSpent(behind, { cpu, seconds, without: options.without, peak });
  }
  return true;
}
