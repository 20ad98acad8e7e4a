/**
 * Weights as whole numbers of one byte: w ≈ scale · q with q in -127 .. 127 and scale = max |w| / 127. It is symmetric: 0
 * stays 0 (Jacob et al. 2018, arXiv:1712.05877, without their zero point). Files and downloads then have a quarter of the
 * bytes of float32; who reads them computes with the real numbers that they stand for.
 */
import { DataError } from '../errors.ts';
import { namesMatching, type NamePattern } from '../pattern.ts';
import { quoted, type Tensor, type TensorData, type Tensors } from './tensor.ts';

export interface QuantiseOptions {
  /**
   * `channel`: a scale for each place of the last axis, which is the output of `dense` and of a convolution; `tensor`: one
   * for all.
   */
  readonly scales?: 'channel' | 'tensor';
  /** What is quantised; by default every tensor of real numbers with two axes or more. */
  readonly parameters?: NamePattern;
}

const GREATEST = 127;
const SCALE = '.scale';

const isReal = (data: TensorData): data is Float32Array | Float64Array =>
  data instanceof Float32Array || data instanceof Float64Array;

/**
 * The same tensors, matrices as int8 with a tensor `NAME.scale` of float32 beside each; others as they are.
 * @throws DataError where a number is not finite, or a tensor has the name of another's scales
 */
export function quantise(tensors: Tensors, options: QuantiseOptions = {}): Tensors {
  const { scales = 'channel', parameters } = options;
  if (scales !== 'channel' && scales !== 'tensor')
    throw new DataError(`scales must be channel or tensor, found ${String(scales)}`);
  const real = Object.entries(tensors).filter(([, { data }]) => isReal(data));
  const names = real.map(([name]) => name);
  const matrices = real.flatMap(([name, { shape }]) => (shape.length > 1 ? name : []));
  const chosen = new Set(parameters === undefined ? matrices : namesMatching(parameters, names));
  const result: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const { shape, data } = tensor;
    result[name] = tensor;
    if (!chosen.has(name) || !isReal(data)) continue;
    if (Object.hasOwn(tensors, `${name}${SCALE}`))
      throw new DataError(
        `tensor ${quoted(`${name}${SCALE}`)} is in the way of the scales of ${quoted(name)}; rename it, or leave ${quoted(name)} out`,
      );
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new DataError(`tensor ${quoted(name)} is ${data[bad]} at element ${bad}`);
    const channels = scales === 'channel' ? (shape.at(-1) ?? 1) : 1;
    const scale = scalesOf(data, channels);
    const values = Int8Array.from(data, (value, i) => {
      const nearest = Math.round(value / scale[i % channels]!);
      return Math.max(-GREATEST, Math.min(GREATEST, nearest));
    });
    result[name] = { shape, data: values };
    result[`${name}${SCALE}`] = { shape: scales === 'channel' ? [channels] : [], data: scale };
  }
  return result;
}

function scalesOf(data: Float32Array | Float64Array, channels: number): Float32Array {
  const scale = new Float32Array(channels);
  for (let i = 0; i < data.length; i++) {
    const channel = i % channels;
    scale[channel] = Math.max(scale[channel]!, Math.abs(data[i]!));
  }
  // of zeros alone any scale is right
  return scale.map((greatest) => greatest / GREATEST || 1);
}

/**
 * Real numbers again, for `setTensors`; tensors that were not quantised are as they are.
 * @throws DataError where scales are missing or do not fit
 */
export function dequantise(tensors: Tensors): Tensors {
  const result: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const { shape, data } = tensor;
    if (name.endsWith(SCALE) && Object.hasOwn(tensors, name.slice(0, -SCALE.length))) continue;
    result[name] = tensor;
    if (!(data instanceof Int8Array)) continue;
    const scale = Object.hasOwn(tensors, `${name}${SCALE}`) ? tensors[`${name}${SCALE}`]!.data : undefined;
    if (scale === undefined)
      throw new DataError(
        `tensor ${quoted(name)} is quantised, but there is no ${quoted(`${name}${SCALE}`)}`,
      );
    if (scale.length !== 1 && scale.length !== shape.at(-1))
      throw new DataError(
        `tensor ${quoted(name)} has ${shape.at(-1) ?? 1} channels, which ${scale.length} scales do not fit`,
      );
    result[name] = { shape, data: Float32Array.from(data, (value, i) => value * scale[i % scale.length]!) };
  }
  return result;
}

/** Bytes of the numbers, without the file around them. */
export function bytesOf(tensors: Tensors): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
}
