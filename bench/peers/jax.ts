/**
 * jax-js: the whole step, value, gradient and update, in one `jit`. Tuned, the convolutions are patches and a matrix product,
 * for which the library has a fast kernel. It has no scan, so the LSTM is unrolled; tokens are one-hot rows.
 *
 * Every use of an array but its last takes `.ref`: the library counts references by hand.
 */
import {
  type Array as Tensor,
  type Device,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  valueAndGrad,
} from '@jax-js/jax';
import type { Step } from '../measure.ts';
import type { Workload } from '../workloads.ts';
import { runPeer, type PeerOptions } from './peer.ts';

type Tensors = Record<string, Tensor>;
type Loss = (weights: Tensors, x: Tensor, y: Tensor) => Tensor;

const tensor = (data: Float32Array | Int32Array, shape: readonly number[]): Tensor =>
  np.array(data as Float32Array<ArrayBuffer>).reshape([...shape]);

/** A function of the tensors of one name. */
const each = (names: readonly string[], make: (name: string) => Tensor): Tensors =>
  Object.fromEntries(names.map((name) => [name, make(name)]));

const dense = (x: Tensor, w: Tensor, b?: Tensor): Tensor =>
  b === undefined ? np.matmul(x, w) : np.matmul(x, w).add(b);

const crossEntropy = (z: Tensor, y: Tensor): Tensor => nn.logSoftmax(z, -1).mul(y).sum(-1).mean().neg();

const layerNorm = (x: Tensor, gain: Tensor, shift: Tensor): Tensor => {
  const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
  const deviation = np.sqrt(np.mean(np.square(centred.ref), -1, { keepdims: true }).add(1e-5));
  return centred.div(deviation).mul(gain).add(shift);
};

const geluTanh = (x: Tensor): Tensor => {
  const inner = x.ref.add(x.ref.mul(x.ref).mul(x.ref).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(np.tanh(inner).add(1));
};

const maxPool = (x: Tensor): Tensor => {
  const [n, c, size] = x.shape as [number, number, number];
  return x.reshape([n, c, size / 2, 2, size / 2, 2]).max([3, 5]);
};

const convolve = (x: Tensor, kernel: Tensor, bias: Tensor): Tensor =>
  nn.relu(lax.conv(x, kernel, [1, 1], 'VALID').add(bias.reshape([-1, 1, 1])));

/** The same as a product of patches, [n row column, channel 5 5], and the kernel. */
const convolvePatches = (x: Tensor, kernel: Tensor, bias: Tensor): Tensor => {
  const [n, channels, size] = x.shape as [number, number, number];
  const filters = kernel.shape[0]!;
  const out = size - 4;
  const shifted: Tensor[] = [];
  for (let u = 0; u < 5; u++) {
    for (let v = 0; v < 5; v++) shifted.push(x.ref.slice([], [], [u, u + out], [v, v + out]));
  }
  x.dispose();
  const patches = np
    .stack(shifted, 2)
    .transpose([0, 3, 4, 1, 2])
    .reshape([n * out * out, channels * 25]);
  const z = np.matmul(patches, kernel.reshape([filters, channels * 25]).transpose()).add(bias);
  return nn.relu(z).reshape([n, out, out, filters]).transpose([0, 3, 1, 2]);
};

function lossOf({ workload, isTuned }: PeerOptions): Loss {
  const { batch } = workload;
  const depth = Object.keys(workload.weights).length / 2;
  const perceptron: Loss = (p, x, y) => {
    let a = x;
    for (let k = 1; k < depth; k++) a = nn.relu(dense(a, p[`w${k}`]!, p[`b${k}`]));
    return crossEntropy(dense(a, p[`w${depth}`]!, p[`b${depth}`]), y);
  };
  const xor: Loss = (p, x, y) => {
    const z = dense(nn.sigmoid(dense(x, p['w1']!, p['b1'])), p['w2']!, p['b2']);
    return nn.softplus(z.ref).sub(z.mul(y)).mean();
  };
  const cnn: Loss = (p, x, y) => {
    const layer = isTuned ? convolvePatches : convolve;
    const a = maxPool(layer(x, p['k1']!, p['c1']!));
    const b = maxPool(layer(a, p['k2']!, p['c2']!));
    return crossEntropy(dense(b.reshape([batch, 256]), p['w']!, p['b']), y);
  };
  const lstm: Loss = (p, x, y) => {
    const [steps, units] = [workload.input[0]!, 128];
    const wh = p['wh']!;
    const gates = dense(np.matmul(x, p['emb']!), p['wx']!, p['b']).reshape([batch, steps, 4 * units]);
    let h = np.zeros([batch, units]);
    let c = np.zeros([batch, units]);
    const all: Tensor[] = [];
    for (const own of np.split(gates, steps, 1)) {
      const sum = own.reshape([batch, 4 * units]).add(np.matmul(h, wh.ref));
      const [i, f, g, o] = np.split(sum, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
      c = nn
        .sigmoid(f)
        .mul(c)
        .add(nn.sigmoid(i).mul(np.tanh(g)));
      h = nn.sigmoid(o).mul(np.tanh(c.ref));
      all.push(h.ref);
    }
    for (const done of [h, c, wh]) done.dispose();
    return crossEntropy(dense(np.stack(all, 1).reshape([batch * steps, units]), p['wo']!, p['bo']), y);
  };
  const gpt: Loss = (p, tokens, y) => {
    const [steps, width, heads] = [workload.input[0]!, 128, 4];
    const size = width / heads;
    const embedded = np.matmul(tokens, p['tok']!).reshape([batch, steps, width]);
    let x = embedded.add(p['pos']!).reshape([batch * steps, width]);
    const mask = np.tri(steps).sub(1).mul(1e9);
    for (const block of ['h0', 'h1']) {
      const of = (part: string): Tensor => p[`${block}.${part}`]!;
      const qkv = dense(layerNorm(x.ref, of('g1'), of('n1')), of('wqkv'), of('bqkv'));
      const [q, k, v] = np
        .split(qkv, 3, 1)
        .map((part) => part.reshape([batch, steps, heads, size]).transpose([0, 2, 1, 3])) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(size ** -0.5);
      const mixed = np.matmul(nn.softmax(scores.add(mask.ref), -1), v);
      const joined = mixed.transpose([0, 2, 1, 3]).reshape([batch * steps, width]);
      x = x.add(dense(joined, of('wo'), of('bo')));
      const hidden = geluTanh(dense(layerNorm(x.ref, of('g2'), of('n2')), of('wu'), of('bu')));
      x = x.add(dense(hidden, of('wd'), of('bd')));
    }
    mask.dispose();
    return crossEntropy(dense(layerNorm(x, p['gf']!, p['nf']!), p['head']!), y);
  };
  const losses: Record<string, Loss> = { xor, cnn, lstm, gpt };
  return losses[workload.model] ?? perceptron;
}

function batchesOf({ batches, classes, isSequence = false, inputShape, labelShape }: Workload) {
  return batches.map(({ x, y }) => {
    if (classes === undefined) return { x: tensor(x, inputShape), y: tensor(y, labelShape) };
    const oneHot = (of: Float32Array | Int32Array): Tensor =>
      nn.oneHot(np.array(Int32Array.from(of)), classes);
    return { x: isSequence ? oneHot(x) : tensor(x, inputShape), y: oneHot(y) };
  });
}

await runPeer(async (options) => {
  const { workload, backend } = options;
  await init(backend as Device);
  defaultDevice(backend as Device);
  const { rate, weightDecay = 0 } = workload;
  const names = Object.keys(workload.weights);
  const batches = batchesOf(workload);
  const valueAndGradient = valueAndGrad(lossOf(options));
  let weights = each(names, (name) => tensor(workload.weights[name]!.data, workload.weights[name]!.shape));
  let m = each(names, (name) => np.zerosLike(weights[name]!.ref));
  let v = each(names, (name) => np.zerosLike(weights[name]!.ref));

  const referenced = (tensors: Tensors): Tensors => each(names, (name) => tensors[name]!.ref);
  const sgd = jit((weights: Tensors, x: Tensor, y: Tensor): [Tensor, Tensors] => {
    const [value, gradients] = valueAndGradient(referenced(weights), x, y);
    return [value, each(names, (name) => weights[name]!.sub((gradients as Tensors)[name]!.mul(rate)))];
  });
  const adam = jit(
    (
      weights: Tensors,
      m: Tensors,
      v: Tensors,
      first: Tensor,
      second: Tensor,
      x: Tensor,
      y: Tensor,
    ): [Tensor, Tensors, Tensors, Tensors] => {
      const [value, given] = valueAndGradient(referenced(weights), x, y);
      const gradients = given as Tensors;
      const nextM = each(names, (name) => m[name]!.mul(0.9).add(gradients[name]!.ref.mul(0.1)));
      const nextV = each(names, (name) => v[name]!.mul(0.999).add(np.square(gradients[name]!).mul(0.001)));
      const next = each(names, (name) => {
        const root = np.sqrt(nextV[name]!.ref.mul(second.ref)).add(1e-8);
        const change = nextM[name]!.ref.mul(first.ref).div(root).mul(rate);
        return weights[name]!.mul(1 - rate * weightDecay).sub(change);
      });
      first.dispose();
      second.dispose();
      return [value, next, nextM, nextV];
    },
  );

  let t = 0;
  const step: Step = (i) => {
    const { x, y } = batches[i]!;
    let value: Tensor;
    if (workload.optimizer === 'sgd') {
      [value, weights] = sgd(weights, x.ref, y.ref);
    } else {
      t++;
      const [first, second] = [0.9, 0.999].map((beta) => np.array(1 / (1 - beta ** t))) as [Tensor, Tensor];
      [value, weights, m, v] = adam(weights, m, v, first, second, x.ref, y.ref);
    }
    return value.dataSync()[0]!;
  };
  return { step };
});
