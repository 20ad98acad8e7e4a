/** Trains pretrain.dsl on the digits 0 to 4 and writes its weights as .npy files, for train.ts to begin from. */
import { ProgressBar } from 'chainrule/node';
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeNpy } from 'chainrule/runtime';
import { createTrainer } from '../../generated/pretrain.ts';
import { loadClasses } from './digits.ts';

const { train, test } = loadClasses(0);
const trainer = createTrainer();
await trainer.fit(train, { callbacks: [new ProgressBar({ every: 5 })] });
console.log(`test accuracy on the digits 0 to 4: ${trainer.evaluate(test)['accuracy']!.toFixed(4)}`);

const folder = new URL('./weights/', import.meta.url);
mkdirSync(folder, { recursive: true });
const weights = trainer.getWeights();
for (const { name, shape } of trainer.description.parameters) {
  writeFileSync(new URL(`${name}.npy`, folder), writeNpy(weights[name]!, shape));
}
