/**
 * @file How well classes are told apart, counted over a whole split. `predicted` and `truth` hold one class a row; scores or
 * probabilities become classes by `argmax` and `threshold`. The definitions, and what stands for 0 / 0, are those of
 * scikit-learn (sklearn.metrics).
 */
import { DataError } from '../errors.ts';
import { checkClasses, checkFinite, checkPairs, checkScores } from './check.ts';

/** The place of the greatest of each row's scores [rows, classes]; of equal ones the first. @throws DataError */
export function argmax(scores: ArrayLike<number>, classes: number): Int32Array {
  if (!Number.isInteger(classes) || classes < 1 || scores.length % classes !== 0)
    throw new DataError(`${scores.length} scores do not divide into rows of ${classes}`);
  checkFinite(scores, 'the score', classes);
  const result = new Int32Array(scores.length / classes);
  for (let row = 0; row < result.length; row++) {
    const start = row * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if (scores[start + k]! > scores[start + best]!) best = k;
    result[row] = best;
  }
  return result;
}

/** 1 where the probability is above `at` (0.5), else 0. @throws DataError */
export function threshold(probabilities: ArrayLike<number>, at = 0.5): Int32Array {
  checkFinite(probabilities, 'the probability');
  return Int32Array.from(probabilities, (value) => (value > at ? 1 : 0));
}

/** The share of rows whose class is right. @throws DataError */
export function accuracy(predicted: ArrayLike<number>, truth: ArrayLike<number>): number {
  checkPairs(predicted, truth);
  checkClasses(predicted, 'the prediction');
  checkClasses(truth, 'the true value');
  let right = 0;
  for (let row = 0; row < truth.length; row++) if (predicted[row] === truth[row]) right++;
  return right / truth.length;
}

/**
 * The share of rows whose true class is among the `k` best scores of [rows, classes]. Of equal scores the class that comes
 * later counts as the better one, as in scikit-learn. @throws DataError
 */
export function topK(scores: ArrayLike<number>, truth: ArrayLike<number>, k: number): number {
  const classes = checkScores(scores, truth);
  if (!Number.isInteger(k) || k < 1) throw new DataError(`k must be a whole number from 1, found ${k}`);
  let right = 0;
  for (let row = 0; row < truth.length; row++) {
    const start = row * classes;
    const own = truth[row]!;
    let better = 0;
    for (let other = 0; other < classes; other++) {
      const difference = scores[start + other]! - scores[start + own]!;
      if (difference > 0 || (difference === 0 && other > own)) better++;
    }
    if (better < k) right++;
  }
  return right / truth.length;
}

export interface ConfusionMatrix {
  readonly classes: number;
  /** [true class, predicted class]: numbers of rows. */
  readonly counts: Uint32Array;
}

/** A matrix of so many classes takes 1 GB. */
const MOST_OF_A_MATRIX = 2 ** 14;
/** As many as a vocabulary has words; what is beyond is no class. */
const MOST_OF_A_REPORT = 2 ** 20;

/**
 * Counts every pair of true and predicted class; `classes`, if it is not given, is the greatest that occurs, plus 1.
 * @throws DataError, for more than 16384 classes too
 */
export function confusionMatrix(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes?: number,
): ConfusionMatrix {
  const extent = extentOf(predicted, truth, classes, MOST_OF_A_MATRIX);
  const counts = new Uint32Array(extent * extent);
  for (let row = 0; row < truth.length; row++) counts[truth[row]! * extent + predicted[row]!]!++;
  return { classes: extent, counts };
}

/** The number of classes that is given, or occurs. @throws DataError where it is above `most`, or rows are no classes */
function extentOf(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes: number | undefined,
  most: number,
): number {
  if (classes !== undefined && !(Number.isInteger(classes) && classes >= 1 && classes <= most))
    throw new DataError(`the number of classes must be a whole number from 1 to ${most}, found ${classes}`);
  checkPairs(predicted, truth);
  const found = Math.max(
    checkClasses(predicted, 'the prediction', classes),
    checkClasses(truth, 'the true value', classes),
  );
  if (found > most) throw new DataError(`there may be ${most} classes, but class ${found - 1} occurs`);
  return classes ?? found;
}

/**
 * - `macro`: the mean over classes, each counting the same;
 * - `weighted`: each counting by its rows;
 * - `micro`: of all rows together, which for one class a row is the accuracy;
 * - `binary`: of class 1 alone, where classes are 0 and 1.
 */
export type Average = 'macro' | 'weighted' | 'micro' | 'binary';

export interface ClassOptions {
  readonly average?: Average;
  /** How many classes there are. Without it a mean is over the classes that occur, in predictions or truth. */
  readonly classes?: number;
  /**
   * 0 (by default), 1 or NaN: what stands for 0 / 0. A class that is never predicted has no precision, one that never occurs no
   * recall. NaN is left out of means.
   */
  readonly zeroDivision?: number;
}

export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ClassReport {
  /** By class, from 0. `support`: rows of the class. */
  readonly perClass: readonly (ClassScores & { readonly support: number })[];
  readonly macro: ClassScores;
  readonly micro: ClassScores;
  readonly weighted: ClassScores;
  readonly accuracy: number;
}

/** True positives, predicted and true rows: of a class, or summed over classes. */
interface Counts {
  readonly hits: number;
  readonly predicted: number;
  readonly support: number;
}

/**
 * Precision (hits / predicted rows), recall (hits / rows of the class) and F1 (their harmonic mean, 2 hits / (predicted rows +
 * rows of the class)) of every class, and their means. @throws DataError
 */
export function classReport(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: Omit<ClassOptions, 'average'> = {},
): ClassReport {
  const { zeroDivision = 0 } = options;
  const perClass = countsOf(predicted, truth, options.classes);
  const all = sumOf(perClass);
  const scores = perClass.map((counts) => ({ ...scoresOf(counts, zeroDivision), support: counts.support }));
  const taken = scores.filter(
    (_, k) => options.classes !== undefined || perClass[k]!.predicted + perClass[k]!.support > 0,
  );
  const mean = (weightOf: (entry: { readonly support: number }) => number): ClassScores => ({
    precision: weightedMean(taken, ({ precision }) => precision, weightOf, zeroDivision),
    recall: weightedMean(taken, ({ recall }) => recall, weightOf, zeroDivision),
    f1: weightedMean(taken, ({ f1 }) => f1, weightOf, zeroDivision),
  });
  return {
    perClass: scores,
    macro: mean(() => 1),
    micro: scoresOf(all, zeroDivision),
    weighted: mean(({ support }) => support),
    accuracy: all.hits / all.support,
  };
}

/** In memory that grows with the classes, not with their square. */
function countsOf(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes: number | undefined,
): Counts[] {
  const extent = extentOf(predicted, truth, classes, MOST_OF_A_REPORT);
  const hits = new Uint32Array(extent);
  const given = new Uint32Array(extent);
  const support = new Uint32Array(extent);
  for (let row = 0; row < truth.length; row++) {
    given[predicted[row]!]!++;
    support[truth[row]!]!++;
    if (predicted[row] === truth[row]) hits[truth[row]!]!++;
  }
  return Array.from(hits, (each, k) => ({ hits: each, predicted: given[k]!, support: support[k]! }));
}

function sumOf(entries: readonly Counts[]): Counts {
  return entries.reduce((sum, each) => ({
    hits: sum.hits + each.hits,
    predicted: sum.predicted + each.predicted,
    support: sum.support + each.support,
  }));
}

function scoresOf({ hits, predicted, support }: Counts, zeroDivision: number): ClassScores {
  const ratio = (over: number, under: number): number => (under === 0 ? zeroDivision : over / under);
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, predicted + support),
  };
}

/** NaN has no weight; without any weight the mean is what stands for 0 / 0. */
function weightedMean<Entry>(
  entries: readonly Entry[],
  valueOf: (entry: Entry) => number,
  weightOf: (entry: Entry) => number,
  zeroDivision: number,
): number {
  let sum = 0;
  let weights = 0;
  for (const entry of entries) {
    const value = valueOf(entry);
    if (Number.isNaN(value)) continue;
    sum += value * weightOf(entry);
    weights += weightOf(entry);
  }
  return weights === 0 ? zeroDivision : sum / weights;
}

function average(
  score: keyof ClassScores,
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: ClassOptions,
): number {
  const { average = 'macro', ...rest } = options;
  if (average !== 'binary') return classReport(predicted, truth, rest)[average][score];
  return classReport(predicted, truth, { ...rest, classes: 2 }).perClass[1]![score];
}

/** Of the rows given a class, the share that is of it; the mean over classes by default. @throws DataError */
export function precision(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: ClassOptions = {},
): number {
  return average('precision', predicted, truth, options);
}

/** Of the rows of a class, the share that is given it; the mean over classes by default. @throws DataError */
export function recall(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: ClassOptions = {},
): number {
  return average('recall', predicted, truth, options);
}

/** The harmonic mean of precision and recall; the mean over classes by default. @throws DataError */
export function f1(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: ClassOptions = {},
): number {
  return average('f1', predicted, truth, options);
}
