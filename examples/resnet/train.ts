/** A residual network on 8x8 digits: 1,350 to train on, 447 to test with; `--quick`: two epochs. */
import { takeRows } from 'chainrule/data';
import { ProgressBar, readCsvFile } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer } from '../../generated/resnet.ts';

const TRAINED = 1350;
const quick = process.argv.includes('--quick');
const { data, rows } = readCsvFile(new URL('../finetune/data/digits.csv', import.meta.url), {
  reals: { x: /^pixel_/ },
  integers: { label: 'digit' },
});
const order = Uint32Array.from({ length: rows }, (_, i) => i);
new Random(1, 'split').shuffle(order);
const part = (from: number, to: number): { x: Float32Array; label: Int32Array } => {
  const { x, label } = takeRows(data, rows, order.subarray(from, to));
  return { x: x.map((grey) => grey / 16), label };
};

const trainer = createTrainer(quick ? { batch: 16 } : {});
const start = performance.now();
await trainer.fit(part(0, TRAINED), { callbacks: [new ProgressBar()], ...(quick && { epochs: 2 }) });
const seconds = (performance.now() - start) / 1000;

// `evaluate` normalises by the running statistics, which the training has gathered in the model's states.
const { loss, accuracy } = trainer.evaluate(part(TRAINED, rows));
console.log(
  `test      loss ${loss!.toFixed(4)}  accuracy ${accuracy!.toFixed(4)}  (trained in ${seconds.toFixed(1)} s)`,
);
