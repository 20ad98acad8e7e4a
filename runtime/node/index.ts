/** `chainrule/node`: what needs Node's file system or a terminal. */
export {
  readCsvFile,
  readIdxFile,
  readNpyFile,
  readPngFile,
  readPngFiles,
  streamCsvFile,
} from './data-files.ts';
export type { FilePath } from './data-files.ts';
export { CSVLogger, TensorBoard } from './callbacks.ts';
export { ProgressBar, type ProgressBarOptions } from './progress-bar.ts';
