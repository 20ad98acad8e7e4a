/**
 * Takes the transformer that has read Moby-Dick (../gpt) and tunes it on Lincoln's addresses: all of it, its last block, or
 * low-rank updates alone. A table compares them with the network as it was, and with one that begins from nothing.
 */
import { loadWeights, ProgressBar, type WeightsHolder } from 'chainrule/node';
import { mergeLora, Random, transferWeights, type Trainer } from 'chainrule/runtime';
import * as full from '../../generated/finetune-gpt.Full.ts';
import * as last from '../../generated/finetune-gpt.Last.ts';
import * as lora from '../../generated/finetune-gpt.Lora.ts';
import { allWindows, ASCII, decode, encode, randomWindows, write } from '../common/text.ts';
import { loadLincoln } from './data.ts';

const quick = process.argv.includes('--quick'); // a few seconds, to see that it runs
const STEPS = quick ? 6 : 120;
const BATCH = 16;
const CONTEXT = 64;
const ALPHA = 8; // that of model Lora
const SCRATCH = 4; // times the rate of tuning: what ../gpt trains with from the beginning

const { train, validation } = loadLincoln();
const all = allWindows(quick ? validation.subarray(0, 2000) : validation, CONTEXT);
// the same pieces in the same order for everyone
const pieces = randomWindows(train, CONTEXT, STEPS * BATCH, new Random(1, 'windows'));

type AnyTrainer = Trainer<full.Inputs, unknown>;

/** The weights that ../gpt has saved, where NAME there is z_NAME here; says what was not there. */
async function load(trainer: WeightsHolder): Promise<void> {
  const file = new URL('./weights/moby-dick.safetensors', import.meta.url);
  const { loaded, missing, unexpected } = await loadWeights(trainer, file, {
    map: (name) => `z_${name}`,
    partial: true, // the updates of LoRA are not in the file
  });
  console.log(`loaded ${loaded.length} tensors, missing ${missing.length}, unexpected ${unexpected.length}`);
}

interface Row {
  readonly name: string;
  readonly trained: number;
  readonly seconds: number;
  readonly loss: number;
}

const rows: Row[] = [];

/** Trains for the steps, and notes what it took. Seconds are those of the processor, which may be busy with others too. */
async function tune(name: string, trainer: AnyTrainer, steps = STEPS): Promise<void> {
  console.log(name);
  const before = process.cpuUsage();
  if (steps > 0) await trainer.fit(pieces, { epochs: 1, shuffle: false, callbacks: [new ProgressBar()] });
  const { user, system } = process.cpuUsage(before);
  const trained = trainer.description.parameters.filter(({ frozen }) => !frozen);
  rows.push({
    name,
    trained: steps > 0 ? trained.reduce((sum, { size }) => sum + size, 0) : 0,
    seconds: steps > 0 ? (user + system) / 1e6 : 0,
    loss: trainer.evaluate(all)['loss']!,
  });
}

const scratch = full.createTrainer({ batch: BATCH });
scratch.rateFactor = SCRATCH;
await tune('from scratch', scratch);

const tuned = full.createTrainer({ batch: BATCH });
await load(tuned);
await tune('untouched', tuned, 0);
await tune('full tuning', tuned);

const top = last.createTrainer({ batch: BATCH });
await load(top);
await tune('last block', top);

const updates = lora.createTrainer({ batch: BATCH });
await load(updates);
await tune('LoRA', updates);

const merged = full.createTrainer({ batch: BATCH });
transferWeights(mergeLora(updates, { alpha: ALPHA }), merged);
await tune('LoRA, merged', merged, 0);

const opening = encode('Fellow-Citizens of the Senate', ASCII);
const written = write(tuned, opening, quick ? 40 : 400, CONTEXT, 0.8, new Random(1, 'sample'));
console.log(`\n${decode(written, ASCII)}\n`);

const count = new Intl.NumberFormat('en-US');
console.log(
  `${STEPS} steps of ${BATCH * CONTEXT} characters; nats per character of ${all.next.length} not seen:`,
);
console.log('              trained parameters   seconds   validation loss');
for (const { name, trained, seconds, loss } of rows) {
  const columns = [
    count.format(trained).padStart(18),
    seconds.toFixed(1).padStart(9),
    loss.toFixed(4).padStart(17),
  ];
  console.log(`${name.padEnd(14)}${columns.join(' ')}`);
}
