/** What metrics must satisfy on any data, and what they refuse. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  argmax,
  auc,
  aucOneVsRest,
  classReport,
  confusionMatrix,
  f1,
  logLoss,
  meanAbsoluteError,
  precision,
  rootMeanSquaredError,
  rSquared,
  threshold,
  topK,
} from 'chainrule/metrics';
import { DataError } from 'chainrule/runtime';

const classPairs = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 1, maxLength: 40 });
/** Scores on a coarse grid, so that ties are common; both classes occur. */
const ranked = fc
  .array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.nat(1)), { minLength: 2, maxLength: 30 })
  .filter((rows) => new Set(rows.map(([, truth]) => truth)).size === 2);
const reals = fc.array(
  fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: -50, max: 50, noNaN: true })),
  { minLength: 2, maxLength: 30 },
);
const columns = (rows: readonly (readonly [number, number])[]): [number[], number[]] => [
  rows.map(([a]) => a),
  rows.map(([, b]) => b),
];
/** The same rows in another order. */
const permuted = <Row>(rows: fc.Arbitrary<Row[]>): fc.Arbitrary<[Row[], Row[]]> =>
  rows.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
  );

describe('the order of rows makes no difference', () => {
  it('to metrics of classes', () => {
    fc.assert(
      fc.property(permuted(classPairs), ([one, other]) => {
        expect(classReport(...columns(one))).toEqual(classReport(...columns(other)));
        expect(confusionMatrix(...columns(one))).toEqual(confusionMatrix(...columns(other)));
      }),
    );
  });

  it('to the AUC', () => {
    fc.assert(
      fc.property(permuted(ranked), ([one, other]) => {
        expect(auc(...columns(one))).toBe(auc(...columns(other)));
      }),
    );
  });

  it('to measures of distance, but for rounding', () => {
    fc.assert(
      fc.property(permuted(reals), ([one, other]) => {
        for (const metric of [meanAbsoluteError, rootMeanSquaredError])
          expect(metric(...columns(one))).toBeCloseTo(metric(...columns(other)), 9);
      }),
    );
  });
});

it('F1 of all rows together is the accuracy', () => {
  fc.assert(
    fc.property(classPairs, (rows) => {
      const [predicted, truth] = columns(rows);
      const right = accuracy(predicted, truth);
      expect(f1(predicted, truth, { average: 'micro' })).toBeCloseTo(right, 12);
      expect(classReport(predicted, truth).accuracy).toBeCloseTo(right, 12);
    }),
  );
});

it('the confusion matrix counts every row once, the right ones on its diagonal', () => {
  fc.assert(
    fc.property(classPairs, (rows) => {
      const [predicted, truth] = columns(rows);
      const { classes, counts } = confusionMatrix(predicted, truth);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
      const diagonal = counts.reduce((sum, count, i) => (i % (classes + 1) === 0 ? sum + count : sum), 0);
      expect(diagonal / rows.length).toBeCloseTo(accuracy(predicted, truth), 12);
    }),
  );
});

it('a report of a whole vocabulary is no matter of memory', () => {
  const { perClass, accuracy } = classReport([50256, 7, 7], [50256, 7, 8]);
  expect(perClass).toHaveLength(50257);
  expect(perClass[7]).toEqual({ precision: 0.5, recall: 1, f1: 2 / 3, support: 1 });
  expect(accuracy).toBeCloseTo(2 / 3, 12);
});

describe('the AUC', () => {
  it('is the share of pairs of a positive and a negative row that are in order, ties half', () => {
    fc.assert(
      fc.property(ranked, (rows) => {
        let pairs = 0;
        let won = 0;
        for (const [score, truth] of rows) {
          for (const [other, otherTruth] of rows) {
            if (truth !== 1 || otherTruth !== 0) continue;
            pairs++;
            won += score > other ? 1 : score === other ? 0.5 : 0;
          }
        }
        expect(auc(...columns(rows))).toBeCloseTo(won / pairs, 12);
      }),
    );
  });

  it('is the same for any increasing function of the scores, and 1 less it for decreasing ones', () => {
    fc.assert(
      fc.property(ranked, (rows) => {
        const [scores, truth] = columns(rows);
        expect(auc(scores.map(Math.exp), truth)).toBe(auc(scores, truth));
        expect(
          auc(
            scores.map((score) => -score),
            truth,
          ),
        ).toBeCloseTo(1 - auc(scores, truth), 12);
      }),
    );
  });

  it('of two classes each against the other is that of either', () => {
    fc.assert(
      fc.property(ranked, (rows) => {
        const [scores, truth] = columns(rows);
        const both = scores.flatMap((score) => [-score, score]);
        expect(aucOneVsRest(both, truth)).toBeCloseTo(auc(scores, truth), 12);
      }),
    );
  });
});

it('R² is 0 for the mean of the truth, and 1 for the truth', () => {
  fc.assert(
    fc.property(reals, (rows) => {
      const [, truth] = columns(rows);
      fc.pre(Math.max(...truth) - Math.min(...truth) > 1e-3);
      const mean = truth.reduce((sum, value) => sum + value / truth.length, 0);
      expect(
        rSquared(
          truth.map(() => mean),
          truth,
        ),
      ).toBeCloseTo(0, 6);
      expect(rSquared(truth, truth)).toBe(1);
    }),
  );
});

describe('classes are made of', () => {
  it('the greatest score of a row, the first of equal ones', () => {
    expect([...argmax([0.1, 0.7, 0.2, 0.4, 0.2, 0.4], 3)]).toEqual([1, 0]);
  });

  it('a probability above the threshold', () => {
    expect([...threshold([0.2, 0.5, 0.6])]).toEqual([0, 0, 1]);
    expect([...threshold([0.2, 0.5, 0.6], 0.1)]).toEqual([1, 1, 1]);
  });
});

it.each<[string, () => unknown, string]>([
  ['lengths that differ', () => accuracy([1], [1, 0]), 'there are 1 predictions, but 2 true values'],
  ['no rows', () => rootMeanSquaredError([], []), 'at least one row'],
  [
    'probabilities for classes',
    () => precision([0.7, 1], [1, 1]),
    '0.7 at row 0; make them of scores by argmax',
  ],
  [
    'a class out of range',
    () => confusionMatrix([0, 1], [0, 3], 3),
    'from 0 to 2, but the true value is 3 at row 1',
  ],
  [
    'an id for a class',
    () => confusionMatrix([1e9], [0]),
    'may be 16384 classes, but class 1000000000 occurs',
  ],
  ['an id in a report', () => classReport([0], [2 ** 40]), 'may be 1048576 classes, but class 1099511627776'],
  ['half a class', () => confusionMatrix([0], [0], 1.5), 'a whole number from 1 to 16384, found 1.5'],
  ['NaN', () => meanAbsoluteError([1, NaN], [1, 1]), 'the prediction is NaN at row 1'],
  ['NaN among scores', () => topK([1, 2, NaN, 4], [0, 1], 1), 'the score is NaN at row 1, column 0'],
  ['scores that make no rows', () => topK([1, 2, 3], [0, 1], 1), '3 scores are not a row of at least 2'],
  [
    'a truth that is not binary',
    () => auc([0.1, 0.2], [1, 2]),
    'from 0 to 1, but the true value is 2 at row 1',
  ],
  ['logits for probabilities', () => logLoss([2, -1], [1, 0]), 'between 0 and 1; found 2 at row 0'],
  [
    'rows that do not make 1',
    () => logLoss([0.5, 0.4, 0.2, 0.8], [0, 1]),
    'probabilities of row 0 make 0.9, not 1',
  ],
  ['rows of two classes for average binary', () => f1([0, 2], [0, 1], { average: 'binary' }), 'from 0 to 1'],
  ['columns that do not divide', () => rSquared([1, 2, 3], [1, 2, 3], 2), 'rows of 2 columns'],
])('%s: a clear error', (_, act, words) => {
  expect(act).toThrow(DataError);
  expect(act).toThrow(words);
});
