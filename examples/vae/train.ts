/**
 * Trains the autoencoder of vae.dsl on 8,000 digits, and draws with it: reconstructions of digits that it has not seen,
 * digits that nobody has written, and ways from one digit to another. `--quick`: two epochs on 2,000.
 */
import { ProgressBar } from 'chainrule/node';
import { Random } from 'chainrule/runtime';
import { createTrainer as createDecoder } from '../../generated/vae.Decoder.ts';
import { createTrainer } from '../../generated/vae.Vae.ts';
import { loadDigits } from '../common/digits.ts';
import { writeSheet } from './sheet.ts';

const PIXELS = 784;
const LATENT = 12;
const COLUMNS = 12;

const quick = process.argv.includes('--quick');
const { train, test } = quick ? loadDigits(2000) : loadDigits();
const vae = createTrainer(quick ? { batch: 16 } : {});
await vae.fit({ x: train.x }, { callbacks: [new ProgressBar()], ...(quick && { epochs: 2 }) });

const { loss, reconstruction_error, divergence } = vae.evaluate({ x: test.x });
const nats = (value = NaN): string => value.toFixed(2);
console.log(
  `test      evidence lower bound ${nats(-loss!)} nats a picture: reconstruction ${nats(-reconstruction_error!)}, minus divergence ${nats(divergence)}`,
);

// To compare with: what the pixels cost where nothing is known of a picture but the mean of all that were trained on.
const rows = train.x.length / PIXELS;
const mean = Float64Array.from({ length: PIXELS }, (_, i) => {
  let sum = 0.5; // as if one more picture had been seen, half grey: so that no pixel is certain
  for (let row = 0; row < rows; row++) sum += train.x[row * PIXELS + i]!;
  return sum / (rows + 1);
});
let cost = 0;
for (const [place, grey] of test.x.entries()) {
  const p = mean[place % PIXELS]!;
  cost -= grey * Math.log(p) + (1 - grey) * Math.log(1 - p);
}
console.log(`          mean of all pictures ${nats((-cost * PIXELS) / test.x.length)} nats`);

// The decoder by itself, with what the autoencoder has learnt.
const weights = vae.getWeights();
const decoder = createDecoder();
decoder.setWeights(
  Object.fromEntries(decoder.description.parameters.map(({ name }) => [name, weights[name]!])),
);

// Lines of twelve digits, and below each line its reconstruction.
const shown = test.x.subarray(0, 4 * COLUMNS * PIXELS);
const { code, reconstruction } = vae.predict({ x: shown });
const lines = [0, 1, 2, 3].flatMap((line) =>
  [shown, reconstruction].map((all) => all.subarray(line * COLUMNS * PIXELS, (line + 1) * COLUMNS * PIXELS)),
);
writeSheet(
  new URL('./out/reconstructions.png', import.meta.url),
  lines.flatMap((line) => [...line]),
  COLUMNS,
);

// Codes drawn from the prior N(0, 1).
const random = new Random(1, 'samples');
const drawn = Float32Array.from({ length: 8 * COLUMNS * LATENT }, () => random.normal());
writeSheet(new URL('./out/samples.png', import.meta.url), decoder.predict({ z: drawn }).grey, COLUMNS);

// From the code of one digit in a straight line to the code of the next.
const ways = Float32Array.from({ length: 8 * COLUMNS * LATENT }, (_, i) => {
  const line = Math.floor(i / (COLUMNS * LATENT));
  const along = (Math.floor(i / LATENT) % COLUMNS) / (COLUMNS - 1);
  const [from, to] = [line * LATENT, (line + 1) * LATENT].map((start) => code[start + (i % LATENT)]!);
  return from! + along * (to! - from!);
});
writeSheet(new URL('./out/ways.png', import.meta.url), decoder.predict({ z: ways }).grey, COLUMNS);
console.log('pictures  examples/vae/out/reconstructions.png, samples.png, ways.png');
