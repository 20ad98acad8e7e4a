/** Weights from one model to another, and low-rank updates put into the weights that they are for. */
import { DataError } from './errors.ts';
import { quoted, shapeText, type Tensor, type Tensors } from './formats/tensor.ts';
import type { LoadOptions, LoadReport } from './loading.ts';
import { getTensors, setTensors, type WeightsHolder, type WeightsSource } from './tensors.ts';

/**
 * Copies parameters and running statistics from one trainer (or from named tensors) to another, by name. What an optimizer
 * remembers stays behind. `map` and `partial` are those of loading: without them names and shapes must agree wholly.
 * @throws DataError that names each tensor with its expected and found shape, before anything is changed
 */
export function transferWeights(
  from: WeightsSource | Tensors,
  to: WeightsHolder,
  options: LoadOptions = {},
): LoadReport {
  const source = isTrainer(from) ? `model ${from.description.name}` : 'what is transferred';
  return setTensors(to, tensorsOf(from), options, source);
}

export interface MergeOptions {
  /** The `alpha` of the layers, or of that with this parameter: the update is multiplied by alpha / rank. */
  readonly alpha: number | ((name: string) => number);
}

/**
 * W + alpha/rank · A B for every parameter W beside which there are W_A and W_B, as `lora_dense` has them, and all others
 * as they are (Hu et al. 2021): what a model without updates needs in order to predict the same. A has the first axes of W and
 * then the rank, B the rank and then the other axes of W.
 * @throws DataError where there is no update, or shapes do not fit
 */
export function mergeLora(from: WeightsSource | Tensors, { alpha }: MergeOptions): Tensors {
  const tensors = tensorsOf(from);
  const names = Object.keys(tensors).filter((name) => updateOf(tensors, name) !== undefined);
  if (names.length === 0)
    throw new DataError(
      `there is no low-rank update to merge: no parameter W has a W_A and a W_B beside it; ` +
        `the parameters are ${Object.keys(tensors).join(', ')}`,
    );
  const merged = new Map(Object.entries(tensors));
  for (const name of names) {
    const scale = typeof alpha === 'function' ? alpha(name) : alpha;
    if (!Number.isFinite(scale)) throw new DataError(`alpha of ${quoted(name)} is ${scale}, no number`);
    merged.set(name, mergedTensor(name, tensors[name]!, updateOf(tensors, name)!, scale));
    merged.delete(`${name}_A`);
    merged.delete(`${name}_B`);
  }
  return Object.fromEntries(merged);
}

interface Update {
  readonly A: Tensor;
  readonly B: Tensor;
}

function updateOf(tensors: Tensors, name: string): Update | undefined {
  const [A, B] = [`${name}_A`, `${name}_B`].map((own) =>
    Object.hasOwn(tensors, own) ? tensors[own] : undefined,
  );
  return A === undefined || B === undefined ? undefined : { A, B };
}

function mergedTensor(name: string, W: Tensor, { A, B }: Update, alpha: number): Tensor {
  const rank = A.shape.at(-1);
  const wanted = [...A.shape.slice(0, -1), ...B.shape.slice(1)];
  if (rank === undefined || B.shape[0] !== rank || shapeText(wanted) !== shapeText(W.shape))
    throw new DataError(
      `${quoted(name)} ${shapeText(W.shape)} has an update whose shapes do not fit: ` +
        `${quoted(`${name}_A`)} ${shapeText(A.shape)}, ${quoted(`${name}_B`)} ${shapeText(B.shape)}`,
    );
  const data = W.data instanceof Float64Array ? W.data.slice() : Float32Array.from(W.data);
  const columns = B.data.length / rank;
  for (let place = 0; place < data.length; place++) {
    const row = Math.floor(place / columns);
    const column = place % columns;
    let update = 0;
    for (let r = 0; r < rank; r++) update += A.data[row * rank + r]! * B.data[r * columns + column]!;
    data[place]! += (alpha / rank) * update;
  }
  return { shape: W.shape, data };
}

function tensorsOf(from: WeightsSource | Tensors): Tensors {
  return isTrainer(from) ? getTensors(from) : from;
}

function isTrainer(from: WeightsSource | Tensors): from is WeightsSource {
  return typeof from['getWeights'] === 'function';
}
