/**
 * Weights and batches in files, for peers in another language: NAME.json says where in NAME.bin which tensor lies.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { outFolder } from './chainrule.ts';
import type { Workload } from './workloads.ts';

export const dataFolder = `${outFolder}data`;

export function writeData(workload: Workload): void {
  const { id, model, optimizer, rate, weightDecay, inputShape, labelShape } = workload;
  const parts: Uint8Array[] = [];
  let offset = 0;
  const put = (name: string, shape: readonly number[], data: Float32Array | Int32Array) => {
    const entry = { name, shape, offset, dtype: data instanceof Int32Array ? 'int32' : 'float32' };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
    return entry;
  };
  const tensors = [
    ...Object.entries(workload.weights).map(([name, { shape, data }]) => put(`weights.${name}`, shape, data)),
    ...workload.batches.flatMap(({ x, y }, i) => [
      put(`x.${i}`, inputShape, x),
      put(`y.${i}`, labelShape, y),
    ]),
  ];
  const settings = { id, model, optimizer, rate, ...(weightDecay === undefined ? {} : { weightDecay }) };
  const index = {
    ...settings,
    weights: Object.keys(workload.weights),
    batches: workload.batches.length,
    tensors,
  };
  mkdirSync(dataFolder, { recursive: true });
  writeFileSync(`${dataFolder}/${id}.json`, JSON.stringify(index));
  writeFileSync(`${dataFolder}/${id}.bin`, Buffer.concat(parts));
}
