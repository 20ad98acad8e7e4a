/** `chainrule/node`: what needs Node's file system. */
export {
  readCsvFile,
  readIdxFile,
  readNpyFile,
  readPngFile,
  readPngFiles,
  streamCsvFile,
} from './data-files.ts';
export type { FilePath } from './data-files.ts';
