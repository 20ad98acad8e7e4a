/**
 * What is trained: for each workload the first weights and the batches, drawn from fixed seeds, so that every peer begins
 * with the same numbers.
 *
 * Dense weights are [in, out]; kernels of convolutions [out, in, row, column] for pictures [channel, row, column]; the gates
 * of the LSTM are in the order i, f, g, o. Batches 2k and 2k + 1 have the same inputs and different labels: the loss
 * cannot go to zero, so no peer ends up with denormal numbers.
 */

export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Batch {
  readonly x: Float32Array | Int32Array;
  readonly y: Float32Array | Int32Array;
}

export interface Specification {
  /** The file in `models`, and another name for the workload. */
  readonly model: string;
  readonly title: string;
  readonly batch: number;
  /** Of one row of the inputs. */
  readonly input: readonly number[];
  /** Labels are classes below this, one a row, or one a token; without it the workload is `xor`. */
  readonly classes?: number;
  /** The inputs are tokens below `classes`. */
  readonly isSequence?: boolean;
  readonly optimizer: 'sgd' | 'adam' | 'adamw';
  readonly rate: number;
  readonly weightDecay?: number;
  /** The shapes of the weights, in the order of the model's parameters. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** The bar: PyTorch's time on one thread / ours. */
  readonly bar?: number;
}

export interface Workload extends Omit<Specification, 'weights'> {
  readonly id: string;
  readonly weights: Readonly<Record<string, Weights>>;
  readonly inputShape: readonly number[];
  readonly labelShape: readonly number[];
  readonly batches: readonly Batch[];
}

/** relu layers of these sizes, softmax cross-entropy, Adam. */
function perceptron(
  model: string,
  sizes: readonly number[],
  batch: number,
): Omit<Specification, 'input'> & { input: number[] } {
  const weights: Record<string, readonly number[]> = {};
  sizes.slice(1).forEach((to, k) => {
    weights[`w${k + 1}`] = [sizes[k]!, to];
    weights[`b${k + 1}`] = [to];
  });
  return {
    model,
    title: `${sizes.join('-')} b${batch}`,
    batch,
    input: [sizes[0]!],
    classes: sizes.at(-1)!,
    optimizer: 'adam',
    rate: 1e-3,
    weights,
  };
}

/** The weights of a block of the transformer, `width` wide. */
function block(name: string, width: number): Record<string, readonly number[]> {
  return {
    [`${name}.g1`]: [width],
    [`${name}.n1`]: [width],
    [`${name}.wqkv`]: [width, 3 * width],
    [`${name}.bqkv`]: [3 * width],
    [`${name}.wo`]: [width, width],
    [`${name}.bo`]: [width],
    [`${name}.g2`]: [width],
    [`${name}.n2`]: [width],
    [`${name}.wu`]: [width, 4 * width],
    [`${name}.bu`]: [4 * width],
    [`${name}.wd`]: [4 * width, width],
    [`${name}.bd`]: [width],
  };
}

export const specifications: Readonly<Record<string, Specification>> = {
  W1: {
    model: 'xor',
    title: 'xor 2-3-1 b4',
    batch: 4,
    input: [2],
    optimizer: 'sgd',
    rate: 0.1,
    weights: { w1: [2, 3], b1: [3], w2: [3, 1], b2: [1] },
    bar: 300,
  },
  W2: { ...perceptron('perceptron', [784, 10, 10], 32), bar: 1.2 },
  W3: { ...perceptron('mlp', [784, 256, 128, 10], 64), bar: 0.18 },
  W4: {
    model: 'cnn',
    title: 'cnn 8 and 16 filters b32',
    batch: 32,
    input: [1, 28, 28],
    classes: 10,
    optimizer: 'adam',
    rate: 1e-3,
    weights: { k1: [8, 1, 5, 5], c1: [8], k2: [16, 8, 5, 5], c2: [16], w: [256, 10], b: [10] },
    bar: 0.2,
  },
  W5: {
    model: 'lstm',
    title: 'lstm 128, 32 steps b16',
    batch: 16,
    input: [32],
    classes: 64,
    isSequence: true,
    optimizer: 'adam',
    rate: 1e-3,
    weights: { emb: [64, 32], wx: [32, 512], wh: [128, 512], b: [512], wo: [128, 64], bo: [64] },
    bar: 0.17,
  },
  W6: {
    model: 'gpt',
    title: 'gpt 2 blocks of 128 b8',
    batch: 8,
    input: [64],
    classes: 96,
    isSequence: true,
    optimizer: 'adamw',
    rate: 1e-3,
    weightDecay: 0.01,
    weights: {
      tok: [96, 128],
      pos: [64, 128],
      ...block('h0', 128),
      ...block('h1', 128),
      gf: [128],
      nf: [128],
      head: [128, 96],
    },
    bar: 0.1,
  },
  S1: { ...perceptron('small', [16, 32, 4], 16), bar: 10 },
  S2: { ...perceptron('middle', [64, 64, 10], 32), bar: 1.2 },
  // a small rate: with Adam's 1e-3 rounding alone decides where the loss is after 20 steps
  S3: { ...perceptron('large', [1024, 1024, 1024, 10], 256), rate: 2e-5 },
};

/** @returns the workload's id, from that or from the name of its model */
export function workloadId(name: string): string {
  const found = Object.entries(specifications).find(([id, { model }]) => id === name || model === name);
  if (found === undefined) {
    throw new Error(`no workload ${name}: there are ${Object.keys(specifications).join(' ')}`);
  }
  return found[0];
}

const batchesOfData = 8;
const gain = /^(gf|h\d\.g[12])$/;
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** mulberry32, in [0, 1) */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Matrices and kernels as Glorot has them; biases within 0.05 of 0, gains of layer norms within 0.05 of 1. */
function firstWeights(shapes: Specification['weights']): Record<string, Weights> {
  const draw = generator(12345);
  const weights: Record<string, Weights> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const [first = 1, second = 1, ...window] = shape;
    const connections = (first + second) * sizeOf(window);
    const reach = shape.length > 1 ? Math.sqrt(6 / connections) : 0.05;
    const centre = gain.test(name) ? 1 : 0;
    const data = Float32Array.from({ length: sizeOf(shape) }, () => centre + (2 * draw() - 1) * reach);
    weights[name] = { shape, data };
  }
  return weights;
}

/** A workload with its numbers. */
export function loadWorkload(name: string): Workload {
  const id = workloadId(name);
  const specification = specifications[id]!;
  const { batch, input, classes, isSequence = false } = specification;
  const common = { ...specification, id, weights: firstWeights(specification.weights) };
  const inputShape = [batch, ...input];
  if (classes === undefined) {
    const batches = [{ x: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), y: Float32Array.of(0, 1, 1, 0) }];
    return { ...common, inputShape, labelShape: [batch, 1], batches };
  }
  const labelShape = isSequence ? inputShape : [batch];
  const integers = (shape: readonly number[], draw: () => number): Int32Array =>
    Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(draw() * classes));
  const batches = Array.from({ length: batchesOfData }, (_, i) => {
    const draw = generator(1000 + (i >> 1));
    const x = isSequence
      ? integers(inputShape, draw)
      : Float32Array.from({ length: sizeOf(inputShape) }, draw);
    return { x, y: integers(labelShape, generator(2000 + i)) };
  });
  return { ...common, inputShape, labelShape, batches };
}
