/** Trains the recurrent network of names.dsl on first names, compares it with the bigram model, and lets it make up ten. */
import { ProgressBar } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer } from '../../generated/names.ts';
import { bigram, bigramLoss, decode, draw, type Pairs } from '../common/text.ts';
import { loadNames, rowsOf, STEPS, SYMBOLS, type Rows } from './data.ts';

const quick = process.argv.includes('--quick'); // a few seconds, to see that it runs

const names = loadNames();
const train = rowsOf(names.train);
const test = rowsOf(names.test);
const pairs = ({ seen, next, length }: Rows): Pairs => ({
  text: seen,
  next,
  counts: (i) => i % STEPS < length[Math.floor(i / STEPS)]!,
});
const baseline = bigramLoss(bigram(pairs(train), SYMBOLS.length), pairs(test));

const trainer = createTrainer();
const start = performance.now();
await trainer.fit(train, {
  ...(quick ? { epochs: 1 } : {}),
  validationData: test,
  callbacks: [new ProgressBar()],
});
const seconds = (performance.now() - start) / 1000;

// The loss is that of a name, so that names count alike; that of a letter is the whole over the number of letters.
const letters = test.length.reduce((sum, length) => sum + length, 0);
const loss = (trainer.evaluate(test)['loss']! * names.test.length) / letters;
console.log(
  `trained in ${seconds.toFixed(1)} s; nats per letter of ${names.test.length} names it has not seen, their ends included:`,
);
console.log(`bigram model        ${baseline.toFixed(4)}   (counts of the same names, one added to each)`);
console.log(`recurrent network   ${loss.toFixed(4)}   (${(baseline - loss).toFixed(4)} less)`);

// Ten names at once, each asked for its next letter until it has come to its end.
const random = new Random(1, 'sample');
const seen = new Uint8Array(10 * STEPS);
const spelt: number[][] = Array.from({ length: 10 }, () => []);
const ended = new Set<number>();
for (let t = 0; t < STEPS && ended.size < 10; t++) {
  const { p } = trainer.predict({ seen });
  for (const [row, name] of spelt.entries()) {
    if (ended.has(row)) continue;
    const at = (row * STEPS + t) * SYMBOLS.length;
    const letter = draw(p.subarray(at, at + SYMBOLS.length), 0.8, random);
    if (letter === 0) ended.add(row);
    else name.push(letter);
    if (t + 1 < STEPS) seen[row * STEPS + t + 1] = letter;
  }
}
const known = new Set([...names.train, ...names.test]);
console.log('\nnames of its own:');
for (const name of spelt.map((letters) => decode(letters, SYMBOLS)))
  console.log(`  ${name}${known.has(name) ? '   (there is such a name)' : ''}`);
