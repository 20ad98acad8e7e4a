/** Saves one training after the other into the file given, until it is killed: see killed.test.ts. */
import { saveCheckpoint } from '../../runtime/node/index.ts';
import type { TrainingSnapshot } from '../../runtime/formats/index.ts';

const file = process.argv[2]!;
let step = Number(process.argv[3]);

const training = (): TrainingSnapshot => ({
  format: 'chainrule training',
  version: 1,
  model: 'Killed',
  dtype: 'f32',
  seed: 1,
  step,
  epoch: 0,
  rateFactor: 1,
  fit: null,
  callbacks: [],
  // of different sizes, so that an old and a new file mixed would show
  arrays: { 'weights/W': { shape: [length()], data: new Float32Array(length()).fill(step) } },
});
const length = (): number => 100_000 + 50_000 * (step % 7);

await saveCheckpoint(training(), file);
process.stdout.write('saved\n');
for (;;) {
  step++;
  await saveCheckpoint(training(), file);
}
