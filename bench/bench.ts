/**
 * npm run bench: what a training step takes beside the peers, the memory it works in, what compiling takes, and what depth
 * costs. README.md of this folder explains the figures.
 *
 *     npm run bench                                    everything
 *     npm run bench -- steps --workloads W1,W3 --peers torch,jax --repetitions 1
 *     npm run bench -- functions --workloads W6        what the time of a step is spent on
 *     npm run bench -- memory compiling depth
 *     npm run bench -- memory --steps 10000            the heap over so many steps at least
 */
import { parseArgs } from 'node:util';
import { outFolder } from './chainrule.ts';
import { printCompiling } from './compiling.ts';
import { printCheckpoints } from './checkpoint.ts';
import { printDepths } from './depth.ts';
import { printMemory } from './memory.ts';
import { printSpent } from './spent.ts';
import { compareSteps } from './steps.ts';
import { specifications, workloadId } from './workloads.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workloads: { type: 'string', default: Object.keys(specifications).join(',') },
    peers: { type: 'string', default: '' },
    repetitions: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    steps: { type: 'string', default: '0' },
    tries: { type: 'string', default: '3' },
    cpu: { type: 'string', default: '1' },
    'no-pass': { type: 'string', multiple: true, default: [] },
    results: { type: 'string', default: `${outFolder}steps.jsonl` },
  },
});

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
const workloads = words(values.workloads).map(workloadId);

/** A section that gives false ends the bench with exit code 1. */
const sections: Readonly<Record<string, () => boolean | void | Promise<boolean | void>>> = {
  steps: () =>
    compareSteps({
      workloads,
      peers: words(values.peers),
      repetitions: Number(values.repetitions),
      seconds: Number(values.seconds),
      tries: Number(values.tries),
      cpu: Number(values.cpu),
      without: values['no-pass'],
      results: values.results,
    }),
  functions: () =>
    printSpent(workloads, {
      cpu: Number(values.cpu),
      seconds: Number(values.seconds),
      without: values['no-pass'],
    }),
  memory: () => printMemory(workloads, Number(values.steps)),
  compiling: printCompiling,
  depth: printDepths,
  checkpoint: printCheckpoints,
};

/** `steps` ends with what is of interest of `functions`. */
const usual = Object.keys(sections).filter((name) => name !== 'functions');
const chosen = positionals.length > 0 ? positionals : usual;
const unknown = chosen.filter((name) => !(name in sections));
if (unknown.length > 0) {
  throw new Error(`no section ${unknown.join(', ')}: there are ${Object.keys(sections).join(', ')}`);
}
for (const name of chosen) {
  console.log(`\n--- ${name}\n`);
  if ((await sections[name]!()) === false) process.exitCode = 1;
}
