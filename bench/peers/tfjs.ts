/**
 * TensorFlow.js: core operations and its own optimizers. Plain, `matMul` is the library's. Tuned, it has a gradient that
 * transposes first, and batched products are taken apart: the wasm backend hands only untransposed products of two matrices
 * to its fast kernel, and gradients of `matMul` are transposed ones.
 *
 * What the library lacks: kernels of Conv2DBackpropFilter, UnsortedSegmentSum (the gradient of gather) and Einsum on wasm, so
 * convolutions and embeddings have gradients by other operations there; and AdamW, so the decay is applied before the update.
 */
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import type { Step } from '../measure.ts';
import type { Workload } from '../workloads.ts';
import { runPeer, type PeerOptions } from './peer.ts';

type Tensor = tf.Tensor;
type Product = (a: Tensor, b: Tensor) => Tensor;

const tunedProduct = tf.customGrad((...given) => {
  const [a, b, save] = given as [Tensor, Tensor, tf.GradSaveFunc];
  save([a, b]);
  return {
    value: tf.matMul(a, b),
    gradFunc: (dy: Tensor, saved: Tensor[]) => {
      const [a, b] = saved as [Tensor, Tensor];
      return [tf.matMul(dy, b.transpose()), tf.matMul(a.transpose(), dy)];
    },
  };
});

/** [batch, heads, ., .], one product after the other. */
const batchedTunedProduct: Product = (a, b) => {
  const [batch, heads, rows, terms] = a.shape as [number, number, number, number];
  const columns = b.shape[3]!;
  const [as, bs] = [a.reshape([batch * heads, rows, terms]), b.reshape([batch * heads, terms, columns])].map(
    (t) => t.unstack(),
  );
  return tf.stack(as!.map((each, k) => tunedProduct(each, bs![k]!))).reshape([batch, heads, rows, columns]);
};

/** A convolution whose filter has its gradient from a convolution of the input with dy, channels and batch exchanged. */
const wasmConvolution = tf.customGrad((...given) => {
  const [x, kernel, save] = given as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
  save([x, kernel]);
  return {
    value: tf.conv2d(x, kernel, 1, 'valid') as Tensor,
    gradFunc: (dy: Tensor, saved: Tensor[]) => {
      const [x, kernel] = saved as [tf.Tensor4D, tf.Tensor4D];
      const dy4 = dy as tf.Tensor4D;
      const turned = tf.conv2d(
        x.transpose<tf.Tensor4D>([3, 1, 2, 0]),
        dy4.transpose<tf.Tensor4D>([1, 2, 0, 3]),
        1,
        'valid',
      );
      return [tf.conv2dTranspose(dy4, kernel, x.shape, 1, 'valid'), turned.transpose([1, 2, 0, 3])];
    },
  };
});

/** Kernels go from [out, in, row, column] to [row, column, in, out], the dense layer above them from CHW rows to HWC rows. */
function variables({ weights, model }: Workload): Map<string, tf.Variable> {
  return new Map(
    Object.entries(weights).map(([name, { shape, data }]) => {
      let tensor = tf.tensor(data, [...shape]);
      if (shape.length === 4) tensor = tensor.transpose([2, 3, 1, 0]);
      if (model === 'cnn' && name === 'w') {
        tensor = tensor.reshape([16, 16, 10]).transpose([1, 0, 2]).reshape([256, 10]);
      }
      return [name, tf.variable(tensor, true, name)];
    }),
  );
}

const crossEntropy = (z: Tensor, y: Tensor): tf.Scalar => tf.losses.softmaxCrossEntropy(y, z);

const geluTanh = (x: Tensor): Tensor =>
  x.mul(0.5).mul(
    x
      .add(x.square().mul(x).mul(0.044715))
      .mul(Math.sqrt(2 / Math.PI))
      .tanh()
      .add(1),
  );

/** The loss of a batch, by model. */
function lossOf({ workload, backend, isTuned }: PeerOptions, weights: Map<string, tf.Variable>) {
  const isWasm = backend === 'wasm';
  const weight = (name: string): Tensor => weights.get(name)!;
  const product: Product = isTuned ? tunedProduct : tf.matMul;

  const dense = (a: Tensor, w: string, b?: string, activation?: 'relu' | 'sigmoid'): Tensor => {
    const bias = b === undefined ? {} : { bias: weight(b) };
    if (!isTuned) return tf.fused.matMul({ a, b: weight(w), ...bias, ...(activation && { activation }) });
    const z = product(a, weight(w));
    const shifted = b === undefined ? z : z.add(weight(b));
    if (activation === undefined) return shifted;
    return activation === 'relu' ? tf.relu(shifted) : tf.sigmoid(shifted);
  };
  const embed = (table: Tensor, tokens: Tensor): Tensor =>
    isWasm
      ? product(tf.oneHot(tokens as tf.Tensor1D, table.shape[0]!).toFloat(), table)
      : tf.gather(table, tokens as tf.Tensor1D);
  const convolve = (x: Tensor, kernel: string, bias: string): tf.Tensor4D =>
    isWasm
      ? tf.relu(tf.add(wasmConvolution(x, weight(kernel)), weight(bias)))
      : tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: weight(kernel) as tf.Tensor4D,
          strides: 1,
          pad: 'valid',
          bias: weight(bias),
          activation: 'relu',
        });
  const layerNorm = (x: Tensor, gain: string, shift: string): Tensor => {
    const centred = x.sub(x.mean(-1, true));
    return centred
      .mul(centred.square().mean(-1, true).add(1e-5).rsqrt())
      .mul(weight(gain))
      .add(weight(shift));
  };

  const perceptron = (x: Tensor, y: Tensor): tf.Scalar => {
    const depth = weights.size / 2;
    let a = x;
    for (let k = 1; k < depth; k++) a = dense(a, `w${k}`, `b${k}`, 'relu');
    return crossEntropy(dense(a, `w${depth}`, `b${depth}`), y);
  };
  const xor = (x: Tensor, y: Tensor): tf.Scalar =>
    tf.losses.sigmoidCrossEntropy(y, dense(dense(x, 'w1', 'b1', 'sigmoid'), 'w2', 'b2'));
  const cnn = (x: Tensor, y: Tensor): tf.Scalar => {
    const a = tf.maxPool(convolve(x, 'k1', 'c1'), 2, 2, 'valid');
    const b = tf.maxPool(convolve(a, 'k2', 'c2'), 2, 2, 'valid');
    return crossEntropy(dense(b.reshape([workload.batch, 256]), 'w', 'b'), y);
  };
  const lstm = (tokens: Tensor, y: Tensor): tf.Scalar => {
    const { batch } = workload;
    const [steps, units] = [workload.input[0]!, 128];
    const gates = dense(embed(weight('emb'), tokens), 'wx', 'b').reshape([batch, steps, 4 * units]);
    let h: Tensor = tf.zeros([batch, units]);
    let c: Tensor = tf.zeros([batch, units]);
    const all: Tensor[] = [];
    for (const each of gates.unstack(1)) {
      const [i, f, g, o] = each.add(product(h, weight('wh'))).split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
      c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      h = o.sigmoid().mul(c.tanh());
      all.push(h);
    }
    return crossEntropy(dense(tf.stack(all, 1).reshape([batch * steps, units]), 'wo', 'bo'), y);
  };
  const mask = tf.linalg
    .bandPart(tf.ones([64, 64]), -1, 0)
    .sub(1)
    .mul(1e9);
  const gpt = (tokens: Tensor, y: Tensor): tf.Scalar => {
    const { batch } = workload;
    const [steps, width, heads] = [workload.input[0]!, 128, 4];
    const size = width / heads;
    let x: Tensor = embed(weight('tok'), tokens)
      .reshape([batch, steps, width])
      .add(weight('pos'))
      .reshape([batch * steps, width]);
    for (const block of ['h0', 'h1']) {
      const name = (part: string): string => `${block}.${part}`;
      const qkv = dense(layerNorm(x, name('g1'), name('n1')), name('wqkv'), name('bqkv'));
      const [q, k, v] = qkv
        .split(3, 1)
        .map((part) => part.reshape([batch, steps, heads, size]).transpose([0, 2, 1, 3])) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const scores = isTuned
        ? batchedTunedProduct(q, k.transpose([0, 1, 3, 2]))
        : tf.matMul(q, k, false, true);
      const attention = scores
        .mul(size ** -0.5)
        .add(mask)
        .softmax();
      const mixed = (isTuned ? batchedTunedProduct : tf.matMul)(attention, v)
        .transpose([0, 2, 1, 3])
        .reshape([batch * steps, width]);
      x = x.add(dense(mixed, name('wo'), name('bo')));
      const hidden = geluTanh(dense(layerNorm(x, name('g2'), name('n2')), name('wu'), name('bu')));
      x = x.add(dense(hidden, name('wd'), name('bd')));
    }
    return crossEntropy(dense(layerNorm(x, 'gf', 'nf'), 'head'), y);
  };
  const losses: Record<string, (x: Tensor, y: Tensor) => tf.Scalar> = { xor, cnn, lstm, gpt };
  return losses[workload.model] ?? perceptron;
}

await runPeer(async (options) => {
  const { workload, backend } = options;
  tf.env().set('PROD', true);
  setThreadsCount(1);
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} did not start`);
  await tf.ready();
  const weights = variables(workload);
  const { classes, isSequence = false, model, batch } = workload;
  const batches = workload.batches.map(({ x, y }) => ({
    x: isSequence
      ? tf.tensor1d(x, 'int32')
      : tf.tensor(x, model === 'cnn' ? [batch, 28, 28, 1] : [...workload.inputShape]),
    y:
      classes === undefined
        ? tf.tensor(y, [...workload.labelShape])
        : tf.oneHot(tf.tensor1d(y, 'int32'), classes).toFloat(),
  }));
  const loss = lossOf(options, weights);
  const { rate, weightDecay } = workload;
  const optimizer = workload.optimizer === 'sgd' ? tf.train.sgd(rate) : tf.train.adam(rate, 0.9, 0.999, 1e-8);
  const decay = weightDecay === undefined ? undefined : tf.scalar(1 - rate * weightDecay);
  const step: Step = (i) => {
    const { x, y } = batches[i]!;
    let value = NaN;
    tf.tidy(() => {
      const { value: before, grads } = optimizer.computeGradients(() => loss(x, y));
      if (decay !== undefined) for (const each of weights.values()) each.assign(each.mul(decay));
      optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      value = before.dataSync()[0]!;
    });
    return value;
  };
  return { step };
});
