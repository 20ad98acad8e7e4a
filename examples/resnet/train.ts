/** A residual network on 8x8 digits: 1,350 to train on, 447 to test with; `--quick`: two epochs. */
import { ProgressBar } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer } from '../../generated/resnet.ts';
import { readTable, takeRows } from '../common/data.ts';

const TRAINED = 1350;
const quick = process.argv.includes('--quick');
const { rows, columns, features, target } = readTable(
  new URL('../finetune/data/digits.csv', import.meta.url),
);
const order = Uint32Array.from({ length: rows }, (_, i) => i);
new Random(1, 'split').shuffle(order);
const part = (from: number, to: number): { x: Float32Array; label: Int32Array } => ({
  x: takeRows(features, columns, order, from, to).map((grey) => grey / 16),
  label: Int32Array.from(takeRows(target, 1, order, from, to)),
});

const trainer = createTrainer(quick ? { batch: 16 } : {});
const start = performance.now();
await trainer.fit(part(0, TRAINED), { callbacks: [new ProgressBar()], ...(quick && { epochs: 2 }) });
const seconds = (performance.now() - start) / 1000;

// `evaluate` normalises by the running statistics, which the training has gathered in the model's states.
const { loss, accuracy } = trainer.evaluate(part(TRAINED, rows));
console.log(
  `test      loss ${loss!.toFixed(4)}  accuracy ${accuracy!.toFixed(4)}  (trained in ${seconds.toFixed(1)} s)`,
);
