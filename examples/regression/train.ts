/** Progression of diabetes: 354 patients to train on, 88 to test with; everything standardised by the former. */
import { fitStandardiser, split } from 'chainrule/data';
import { rSquared } from 'chainrule/metrics';
import { ProgressBar, readCsvFile } from 'chainrule/node';
import { createTrainer } from '../../generated/regression.ts';

const { data, rows } = readCsvFile(new URL('./data/diabetes.csv', import.meta.url), {
  reals: { x: ['age', 'sex', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6'], target: 'progression' },
});
const { train, test } = split(data, rows, { train: 0.8, test: 0.2, seed: 1 });
const measurements = fitStandardiser(train.x, 10);
const progression = fitStandardiser(train.target);
const standardised = (part: typeof data): typeof data => ({
  x: measurements.apply(part.x),
  target: progression.apply(part.target),
});

const trainer = createTrainer();
await trainer.fit(standardised(train), { callbacks: [new ProgressBar({ every: 10 })] });

const unseen = standardised(test);
const { mse } = trainer.evaluate(unseen);
const { y } = trainer.predict({ x: unseen.x });
console.log(`test   mean squared error ${mse!.toFixed(4)}  R² ${rSquared(y, unseen.target).toFixed(4)}`);
