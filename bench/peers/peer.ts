/**
 * What the process of every peer in JavaScript does: takes its losses (--check) or is timed, and prints one line of JSON.
 */
import { parseArgs } from 'node:util';
import { takeLosses, timeSteps, type Step } from '../measure.ts';
import { loadWorkload, type Workload } from '../workloads.ts';

export interface PeerOptions {
  readonly workload: Workload;
  readonly backend: string;
  /** The peer's own way to be fast, where its plain way is known to be slow. */
  readonly isTuned: boolean;
  /** Passes of the compiler that are left out. */
  readonly without: readonly string[];
}

/** A peer with the workload's first weights. */
export interface Peer {
  readonly step: Step;
  /** Operations of a step, where they are counted. */
  readonly operations?: number;
}

export async function runPeer(make: (options: PeerOptions) => Promise<Peer>): Promise<void> {
  const { values } = parseArgs({
    options: {
      label: { type: 'string', default: 'peer' },
      workload: { type: 'string', default: 'W1' },
      check: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '2' },
      backend: { type: 'string', default: 'wasm' },
      tuned: { type: 'boolean', default: false },
      'no-pass': { type: 'string', multiple: true, default: [] },
    },
  });
  const workload = loadWorkload(values.workload);
  const { backend, tuned: isTuned, 'no-pass': without } = values;
  const { step, ...counts } = await make({ workload, backend, isTuned, without });
  const figures = values.check
    ? await takeLosses(step)
    : await timeSteps(step, workload.batches.length, Number(values.seconds));
  console.log(
    JSON.stringify({ peer: values.label, workload: workload.id, threads: 1, ...counts, ...figures }),
  );
  process.exit(0); // worker threads of a library would keep the process alive
}
