/** Logistic regression on Fisher's irises: 120 rows to train on, 30 to test with. */
import { fitStandardiser, split } from 'chainrule/data';
import { ProgressBar, readCsvFile } from 'chainrule/node';
import { createTrainer } from '../../generated/iris.ts';

const { data, rows } = readCsvFile(new URL('./data/iris.csv', import.meta.url), {
  reals: { x: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'] },
  categories: { species: 'species' },
});
const { train, test } = split(data, rows, { train: 0.8, test: 0.2, stratify: 'species', seed: 1 });
const standardiser = fitStandardiser(train.x, 4);
const standardised = (part: typeof data): typeof data => ({ ...part, x: standardiser.apply(part.x) });

const trainer = createTrainer();
await trainer.fit(standardised(train), { callbacks: [new ProgressBar({ every: 10 })] });
const { loss, accuracy } = trainer.evaluate(standardised(test));
console.log(`test   loss ${loss!.toFixed(4)}  accuracy ${accuracy!.toFixed(4)}`);
