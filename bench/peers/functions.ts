/**
 * What a step of ours is spent on, as one line of JSON.
 */
import { parseArgs } from 'node:util';
import { spentOf } from '../spent.ts';
import { loadWorkload } from '../workloads.ts';

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'W1' },
    seconds: { type: 'string', default: '2' },
    'no-pass': { type: 'string', multiple: true, default: [] },
  },
});
const without = new Set(values['no-pass']);
console.log(
  JSON.stringify(await spentOf(loadWorkload(values.workload), Number(values.seconds), { without })),
);
