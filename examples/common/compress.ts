/** What compression costs: accuracy on unseen digits and bytes of the weights, whole, in int8, and pruned. */
import { gzipSync } from 'node:zlib';
import { bytesOf, dequantise, getTensors, quantise, setTensors, type Tensors } from 'chainrule/formats';
import { MagnitudePruning, summary } from 'chainrule/runtime';
import type { IntegerData, Predictor, RealData, Trainer } from 'chainrule/runtime';
import { loadDigits } from './digits.ts';

interface Outputs {
  readonly p: Float32Array;
}

export interface CompressibleModel {
  readonly name: string;
  createTrainer(): Trainer<{ readonly x: RealData; readonly label: IntegerData }, Outputs>;
  createPredictor(): Predictor<{ readonly x: RealData }, Outputs>;
}

const CLASSES = 10;
const SHARES = [0.8, 0.9, 0.95];

/** Trains the network once as it is and once for each share of pruned weights; prints a row for each way to store it. */
export async function compress(model: CompressibleModel): Promise<void> {
  const quick = process.argv.includes('--quick');
  const { train, test } = loadDigits(quick ? 2000 : undefined);
  const predictor = model.createPredictor();
  let whole: number | undefined;

  const report = (title: string, stored: Tensors): void => {
    setTensors(predictor, dequantise(stored));
    const accuracy = accuracyOf(predictor.predict({ x: test.x }).p, test.label);
    whole ??= accuracy;
    const packed = gzipSync(joined(stored), { level: 9 }).length;
    const cells = [
      (100 * accuracy).toFixed(2).padStart(8),
      (100 * (whole - accuracy)).toFixed(2).padStart(6),
      grouped(bytesOf(stored)).padStart(9),
      grouped(packed).padStart(9),
    ];
    console.log(`${title.padEnd(28)}${cells.join('')}`);
  };

  const trained = async (share?: number) => {
    const trainer = model.createTrainer();
    const { training } = trainer.description;
    const epochs = quick ? 1 : training.epochs;
    const steps = epochs * Math.ceil(train.label.length / training.batch);
    // from a tenth of the steps to seven tenths; then the weights that are left settle
    const pruning = (sparsity: number): MagnitudePruning =>
      new MagnitudePruning({
        sparsity,
        begin: Math.round(0.1 * steps),
        end: Math.round(0.7 * steps),
        every: Math.max(1, Math.round(0.02 * steps)),
      });
    await trainer.fit(train, { epochs, callbacks: share === undefined ? [] : [pruning(share)] });
    return trainer;
  };

  const trainer = await trained();
  const weights = getTensors(trainer);
  predictor.copyWeights(trainer);
  console.log(`${summary(predictor)}\n`);
  if (quick) console.log('quick: one epoch on 2,000 digits, too short for a network to settle after pruning');
  console.log(`${model.name.padEnd(28)}accuracy  lost    bytes  gzipped`);
  report('float32', weights);
  report('int8, a scale per channel', quantise(weights));
  report('int8, a scale per tensor', quantise(weights, { scales: 'tensor' }));
  for (const share of SHARES) {
    const pruned = getTensors(await trained(share));
    report(`${100 * share} % pruned`, pruned);
    report(`${100 * share} % pruned, int8`, quantise(pruned));
  }
  console.log();
}

function accuracyOf(p: Float32Array, label: ArrayLike<number>): number {
  let right = 0;
  for (let row = 0; row < label.length; row++) {
    const scores = p.subarray(row * CLASSES, (row + 1) * CLASSES);
    if (scores.indexOf(Math.max(...scores)) === label[row]) right++;
  }
  return right / label.length;
}

function joined(stored: Tensors): Buffer {
  return Buffer.concat(
    Object.values(stored).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
