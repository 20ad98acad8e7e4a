import { compileWorkload } from '../chainrule.ts';
import { operations } from '../work.ts';
import { runPeer } from './peer.ts';

await runPeer(async ({ workload, without }) => {
  const { step, description } = await compileWorkload(workload, { without: new Set(without) });
  return { step, operations: operations(description, workload.batch) };
});
