/** Trains the transformer of gpt.dsl on Moby-Dick, compares it with the bigram model, and lets it write. */
import { ProgressBar } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer } from '../../generated/gpt.ts';
import {
  allWindows,
  ASCII,
  bigram,
  bigramLoss,
  decode,
  encode,
  randomWindows,
  write,
} from '../common/text.ts';
import { loadMobyDick } from './data.ts';

const quick = process.argv.includes('--quick'); // a few seconds, to see that it runs
const saveAt = process.argv.indexOf('--save'); // --save FILE: the weights, at the end
const file = saveAt < 0 ? undefined : process.argv[saveAt + 1];
if (saveAt >= 0 && file === undefined) throw new Error('--save needs the name of a file');
const ROUNDS = quick ? 2 : 10;
const STEPS = quick ? 10 : 100;
const BATCH = 16;
const CONTEXT = 64;

const { train, validation } = loadMobyDick();
const all = allWindows(quick ? validation.subarray(0, 4000) : validation, CONTEXT);
const some = allWindows(validation.subarray(0, quick ? 1000 : 8000), CONTEXT); // after every round
const baseline = bigramLoss(
  bigram({ text: train.subarray(0, -1), next: train.subarray(1) }, ASCII.length),
  all,
);

const trainer = createTrainer({ batch: BATCH });
const random = new Random(1, 'windows');
const start = performance.now();
for (let round = 1; round <= ROUNDS; round++) {
  await trainer.fit(randomWindows(train, CONTEXT, STEPS * BATCH, random), {
    initialEpoch: round - 1,
    epochs: round,
    validationData: some,
    callbacks: [new ProgressBar({ epochs: ROUNDS })],
  });
}
const seconds = (performance.now() - start) / 1000;

if (file !== undefined) await trainer.save(file);

const { loss } = trainer.evaluate(all);
console.log(
  `${trainer.step} steps of ${BATCH * CONTEXT} characters in ${seconds.toFixed(1)} s; nats per character of ${all.next.length} it has not seen:`,
);
console.log(`bigram model   ${baseline.toFixed(4)}   (counts of the same text, one added to each)`);
console.log(
  `transformer    ${loss!.toFixed(4)}   (${Math.abs(baseline - loss!).toFixed(4)} ${loss! < baseline ? 'less' : 'more'})`,
);

const opening = encode('Call me Ishmael.', ASCII);
const written = write(trainer, opening, quick ? 40 : 600, CONTEXT, 0.8, new Random(1, 'sample'));
console.log(`\n${decode(written, ASCII)}`);
