/**
 * One workload, ours alone: losses, time of a step, work. With --no-pass the step is timed with and without the passes, in
 * turns.
 *
 *     npm run bench:step -- W3
 *     npm run bench:step -- W3 --no-pass kernels --seconds 3 --math exact --dtype f64
 */
import { parseArgs } from 'node:util';
import { compileWorkload } from './chainrule.ts';
import { takeLosses, timeSteps } from './measure.ts';
import { operations } from './work.ts';
import { loadWorkload } from './workloads.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '2' },
    repetitions: { type: 'string', default: '3' },
    'no-pass': { type: 'string', multiple: true, default: [] },
    dtype: { type: 'string', default: 'f32' },
    math: { type: 'string' },
  },
});
const dtype = values.dtype === 'f64' ? 'f64' : 'f32';
const exact = values.math === 'exact' ? { math: 'exact' as const } : {};
const left = values['no-pass'];

for (const name of positionals) {
  const workload = loadWorkload(name);
  const variants = [
    { label: 'all passes', without: new Set<string>() },
    ...(left.length > 0 ? [{ label: `without ${left.join(', ')}`, without: new Set(left) }] : []),
  ];
  console.log(`${workload.id} ${workload.title}`);
  const steps = [];
  for (const { label, without } of variants) {
    const compiled = await compileWorkload(workload, { dtype, without, ...exact });
    const { loss0, loss1, loss20 } = await takeLosses(compiled.step);
    console.log(`  ${label}: ${compiled.path}`);
    console.log(
      `    loss ${loss0.toPrecision(9)}, after 1 step ${loss1.toPrecision(9)}, after 20 ${loss20.toPrecision(9)}`,
    );
    steps.push({ label, ...compiled });
  }
  for (let repetition = 0; repetition < Number(values.repetitions); repetition++) {
    for (const { label, step, description } of steps) {
      const timing = await timeSteps(step, workload.batches.length, Number(values.seconds));
      const { ms_per_step: wall, cpu_ms_per_step: processor, foreign = 0 } = timing;
      const rate = operations(description, workload.batch) / processor / 1e6;
      console.log(
        `  ${label.padEnd(24)} ${wall.toPrecision(4)} ms a step, ${processor.toPrecision(4)} of the processor, ` +
          `${rate.toFixed(2)} GFLOP/s, ${(foreign * 100).toFixed(0)} % of the CPUs taken by others`,
      );
    }
  }
}
