/**
 * Trains LeNet on 8,000 digits and tests it on 2,000 that it has not seen; `--quick`: one epoch of small
 * batches on 2,000.
 */
import { ProgressBar } from 'chainrule/node';
import { createTrainer } from '../../generated/lenet.ts';
import { loadDigits } from '../common/digits.ts';

const quick = process.argv.includes('--quick');
const { train, test } = quick ? loadDigits(2000) : loadDigits();
const trainer = createTrainer(quick ? { batch: 8 } : {});

const start = performance.now();
await trainer.fit(train, { callbacks: [new ProgressBar()], ...(quick && { epochs: 1 }) });
const seconds = (performance.now() - start) / 1000;

const { loss, accuracy } = trainer.evaluate(test);
console.log(
  `test     loss ${loss!.toFixed(4)}  accuracy ${accuracy!.toFixed(4)}  (trained in ${seconds.toFixed(1)} s)`,
);
