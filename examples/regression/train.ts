/** Progression of diabetes: 354 patients to train on, 88 to test with; everything standardised by the former. */
import { ProgressBar } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer } from '../../generated/regression.ts';
import { readTable, standardise, takeRows } from '../common/data.ts';

const TRAINED = 354;
const { rows, columns, features, target } = readTable(new URL('./data/diabetes.csv', import.meta.url));
const order = Uint32Array.from({ length: rows }, (_, i) => i);
new Random(1, 'split').shuffle(order);
const x = standardise(takeRows(features, columns, order, 0, rows), columns, TRAINED);
const y = standardise(takeRows(target, 1, order, 0, rows), 1, TRAINED);
const part = (from: number, to: number): { x: Float32Array; target: Float32Array } => ({
  x: x.subarray(from * columns, to * columns),
  target: y.subarray(from, to),
});

const trainer = createTrainer();
await trainer.fit(part(0, TRAINED), { callbacks: [new ProgressBar({ every: 10 })] });

const test = part(TRAINED, rows);
const { mse } = trainer.evaluate(test);
const mean = test.target.reduce((sum, value) => sum + value, 0) / test.target.length;
const variance = test.target.reduce((sum, value) => sum + (value - mean) ** 2, 0) / test.target.length;
console.log(`test   mean squared error ${mse!.toFixed(4)}  R² ${(1 - mse! / variance).toFixed(4)}`);
