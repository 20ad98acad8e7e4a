/** Logistic regression on Fisher's irises: 120 rows to train on, 30 to test with. */
import { ProgressBar } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer } from '../../generated/iris.ts';
import { readTable, standardise, takeRows } from '../common/data.ts';

const table = readTable(new URL('./data/iris.csv', import.meta.url));
const order = Uint32Array.from({ length: table.rows }, (_, i) => i);
new Random(1, 'split').shuffle(order);
const features = standardise(takeRows(table.features, 4, order, 0, 150), 4, 120);
const species = takeRows(table.target, 1, order, 0, 150);
const part = (from: number, to: number): { x: Float32Array; species: Int32Array } => ({
  x: features.subarray(from * 4, to * 4),
  species: Int32Array.from(species.subarray(from, to)),
});

const trainer = createTrainer();
await trainer.fit(part(0, 120), { callbacks: [new ProgressBar({ every: 10 })] });
const { loss, accuracy } = trainer.evaluate(part(120, 150));
console.log(`test   loss ${loss!.toFixed(4)}  accuracy ${accuracy!.toFixed(4)}`);
