/** `chainrule/data`: from files to typed arrays, and to the parts and batches that train. Runs in Node and in a browser. */
export { compose, noise, randomFlip, randomShift } from './augment.ts';
export type { Augmentation, ImageInput } from './augment.ts';
export { batches, shuffled } from './batches.ts';
export { readCsv, streamCsv } from './csv.ts';
export type { CsvData, CsvTable } from './csv.ts';
export type { CategoryChoice, ColumnChoice, CsvOptions, MissingCell } from './csv-columns.ts';
export { takeRows } from './dataset.ts';
export type { Dataset, NumberArray, Rows } from './dataset.ts';
export { readIdx } from './idx.ts';
export type { IdxArray } from './idx.ts';
export { readPng, stackImages } from './image.ts';
export type { Image, ImageOptions } from './image.ts';
export { fitMinMax, fitStandardiser, loadScaler, oneHot, Scaler } from './scale.ts';
export type { ScalerValues } from './scale.ts';
export { shuffle, split } from './split.ts';
export type { Part, Shares, SplitOptions } from './split.ts';
export { DataError } from '../errors.ts';
