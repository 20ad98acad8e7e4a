/** @file How good scores and probabilities are, over a whole split. Definitions as in scikit-learn. */
import { DataError } from '../errors.ts';
import { checkBinary, checkScores } from './check.ts';

/**
 * The area under the receiver operating characteristic: the probability that a row of class 1 has a greater score than a row of
 * class 0, equal scores counting half (Mann and Whitney 1947; Hanley and McNeil 1982). `truth` is 0 or 1. NaN where one of the
 * classes has no row. In O(n log n).
 * @throws DataError
 */
export function auc(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  checkBinary(scores, truth);
  return areaOf(scores, (row) => truth[row] === 1);
}

/**
 * The mean over classes of the area of each against all others, for scores [rows, classes]. NaN where a class has no row.
 * @throws DataError
 */
export function aucOneVsRest(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  const classes = checkScores(scores, truth);
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    const own = Float64Array.from(truth, (_, row) => scores[row * classes + k]!);
    sum += areaOf(own, (row) => truth[row] === k);
  }
  return sum / classes;
}

/** The sum of the positive rows' ranks tells how many negative ones each of them beats. Ranks of ties are their mean. */
function areaOf(scores: ArrayLike<number>, isPositive: (row: number) => boolean): number {
  const rows = scores.length;
  const order = Uint32Array.from({ length: rows }, (_, i) => i).toSorted((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let ranks = 0;
  for (let from = 0; from < rows;) {
    let to = from;
    let tied = 0;
    while (to < rows && scores[order[to]!] === scores[order[from]!]) if (isPositive(order[to++]!)) tied++;
    positives += tied;
    ranks += tied * ((from + 1 + to) / 2); // ranks from + 1 .. to
    from = to;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (rows - positives));
}

/**
 * The mean of -log(probability of the true class), in nats. One probability (of class 1) a row where there are as many as true
 * values, else [rows, classes], each row making 1. Probabilities are kept at least a rounding (2⁻²³ for float32 arrays, else
 * 2⁻⁵²) away from 0 and 1, as in scikit-learn.
 * @throws DataError
 */
export function logLoss(probabilities: ArrayLike<number>, truth: ArrayLike<number>): number {
  const least = probabilities instanceof Float32Array ? 2 ** -23 : 2 ** -52;
  const lossOf = (probability: number): number =>
    -Math.log(Math.min(Math.max(probability, least), 1 - least));
  let sum = 0;
  if (probabilities.length === truth.length) {
    checkBinary(probabilities, truth);
    checkRange(probabilities, 1);
    for (let row = 0; row < truth.length; row++)
      sum += lossOf(truth[row] === 1 ? probabilities[row]! : 1 - probabilities[row]!);
  } else {
    const classes = checkScores(probabilities, truth);
    checkRange(probabilities, classes);
    checkSums(probabilities, classes);
    for (let row = 0; row < truth.length; row++) sum += lossOf(probabilities[row * classes + truth[row]!]!);
  }
  return sum / truth.length;
}

/**
 * exp of the log loss: the number of equally likely classes among which a choice would be as hard. 1 is perfect.
 * @throws DataError
 */
export function perplexity(probabilities: ArrayLike<number>, truth: ArrayLike<number>): number {
  return Math.exp(logLoss(probabilities, truth));
}

function checkRange(probabilities: ArrayLike<number>, columns: number): void {
  for (let i = 0; i < probabilities.length; i++) {
    if (!(probabilities[i]! >= 0 && probabilities[i]! <= 1)) {
      const column = columns === 1 ? '' : `, column ${i % columns}`;
      throw new DataError(
        `a probability lies between 0 and 1; found ${probabilities[i]} at row ${Math.floor(i / columns)}${column}`,
      );
    }
  }
}

const SUM_TOLERANCE = 1e-3;

function checkSums(probabilities: ArrayLike<number>, classes: number): void {
  for (let row = 0; row * classes < probabilities.length; row++) {
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += probabilities[row * classes + k]!;
    if (Math.abs(sum - 1) > SUM_TOLERANCE)
      throw new DataError(`the probabilities of row ${row} make ${sum}, not 1`);
  }
}
