/** `chainrule/node`: what needs Node's file system or a terminal. */
export {
  readCsvFile,
  readIdxFile,
  readNpyFile,
  readNpzFile,
  readPngFile,
  readPngFiles,
  streamCsvFile,
} from './data-files.ts';
export { CSVLogger, TensorBoard } from './callbacks.ts';
export type { FilePath } from './disk.ts';
export { loadCheckpoint, loadWeights, saveCheckpoint, saveWeights } from './files.ts';
export { ModelCheckpoint } from './model-checkpoint.ts';
export { ProgressBar, type ProgressBarOptions } from './progress-bar.ts';
export { traceTo, type TraceToOptions } from './trace.ts';
export type { LoadOptions, LoadReport } from '../loading.ts';
export type { WeightsHolder, WeightsSource } from '../tensors.ts';
