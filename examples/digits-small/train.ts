/** Trains the network of digits-small.dsl on 8,000 digits and tests it on 2,000 that it has not seen. */
import { ProgressBar } from 'chainrule/node';
import { createTrainer } from '../../generated/digits-small.ts';
import { loadDigits } from '../common/digits.ts';

const { train, test } = loadDigits();
const trainer = createTrainer();

const start = performance.now();
await trainer.fit(train, { callbacks: [new ProgressBar()] });
const seconds = (performance.now() - start) / 1000;

const { loss, accuracy } = trainer.evaluate(test);
console.log(
  `test     loss ${loss!.toFixed(4)}  accuracy ${accuracy!.toFixed(4)}  (trained in ${seconds.toFixed(1)} s)`,
);
