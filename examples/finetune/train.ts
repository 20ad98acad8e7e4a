/** Loads the weights that know the digits 0 to 4, and tunes the second layer alone to the digits 5 to 9. */
import { ProgressBar } from 'chainrule/node';
import { readFileSync } from 'node:fs';
import { readNpy } from 'chainrule/runtime';
import { createTrainer } from '../../generated/finetune.ts';
import { loadClasses } from './digits.ts';

const { train, test } = loadClasses(5);
const trainer = createTrainer();
const read = (name: string): ArrayLike<number> =>
  readNpy(readFileSync(new URL(`./weights/${name}.npy`, import.meta.url)), name).data;
const pretrained = Object.fromEntries(trainer.description.parameters.map(({ name }) => [name, read(name)]));
trainer.setWeights(pretrained);

console.log(`before: test accuracy on the digits 5 to 9: ${trainer.evaluate(test)['accuracy']!.toFixed(4)}`);
await trainer.fit(train, { callbacks: [new ProgressBar({ every: 5 })] });
console.log(`after:  test accuracy on the digits 5 to 9: ${trainer.evaluate(test)['accuracy']!.toFixed(4)}`);

const unchanged = trainer.getWeights()['W1']!.every((value, i) => value === pretrained['W1']![i]);
console.log(`first layer ${unchanged ? 'unchanged' : 'changed'}`);
