/** Files as bytes: for a page, a worker, or whoever keeps files elsewhere than on a disk. */
export { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
export { readNpy, writeNpy } from './npy.ts';
export { readNpz, writeNpz } from './npz.ts';
export { bytesOf, dequantise, quantise, type QuantiseOptions } from './quantise.ts';
export { readSafetensors, writeSafetensors } from './safetensors.ts';
export type { Tensor, TensorData, Tensors } from './tensor.ts';
export type { ZipOptions } from './zip.ts';
export { getTensors, setTensors } from '../tensors.ts';
export type { LoadOptions, LoadReport } from '../loading.ts';
export type { WeightsDescription, WeightsHolder, WeightsSource } from '../tensors.ts';
export type { Json, SnapshotArray, TrainingSnapshot } from '../snapshot.ts';
