/** Metrics agree with scikit-learn on stored cases (test/fixtures/make-metrics.py makes them). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  auc,
  aucOneVsRest,
  classReport,
  confusionMatrix,
  f1,
  logLoss,
  meanAbsoluteError,
  meanSquaredError,
  perplexity,
  precision,
  recall,
  rootMeanSquaredError,
  rSquared,
  topK,
} from 'chainrule/metrics';

/** JSON has no NaN: it stands there as a word. */
type Stored = number | 'NaN';
interface Scores {
  readonly precision: Stored;
  readonly recall: Stored;
  readonly f1: Stored;
}
interface Named {
  readonly name: string;
  readonly truth: number[];
}
interface Cases {
  readonly classes: readonly (Named & {
    readonly predicted: number[];
    readonly classes?: number;
    readonly accuracy: number;
    readonly confusion: number[];
    readonly binary?: Scores;
    readonly scores: Record<
      '0' | '1' | 'NaN',
      Record<'macro' | 'micro' | 'weighted', Scores> & { perClass: (Scores & { support: number })[] }
    >;
  })[];
  readonly ranking: readonly (Named & { readonly scores: number[]; readonly auc: number })[];
  readonly scores: readonly (Named & {
    readonly probabilities: number[];
    readonly logits: number[];
    readonly top: Record<string, number>;
    readonly aucOneVsRest: number;
    readonly logLoss: number;
  })[];
  readonly losses: readonly (Named & {
    readonly probabilities: number[];
    readonly f64: number;
    readonly f32: number;
  })[];
  readonly regression: readonly (Named & {
    readonly columns: number;
    readonly predicted: number[];
    readonly mae: number;
    readonly mse: number;
    readonly rmse: number;
    readonly r2: Stored;
  })[];
  readonly oneClass: Stored;
}

const file = new URL('../fixtures/metrics.json', import.meta.url);
const cases = JSON.parse(readFileSync(file, 'utf8')) as Cases;

function expectClose(found: number, stored: Stored): void {
  if (stored === 'NaN') expect(found).toBeNaN();
  else expect(found).toBeCloseTo(stored, 12);
}

function expectScores(found: { precision: number; recall: number; f1: number }, stored: Scores): void {
  expectClose(found.precision, stored.precision);
  expectClose(found.recall, stored.recall);
  expectClose(found.f1, stored.f1);
}

describe.each(cases.classes)('classes: $name', ({ predicted, truth, classes, scores, ...stored }) => {
  const given = classes === undefined ? {} : { classes };

  it('accuracy and confusion matrix', () => {
    expectClose(accuracy(predicted, truth), stored.accuracy);
    expect([...confusionMatrix(predicted, truth, classes).counts]).toEqual(stored.confusion);
  });

  it.each(['0', '1', 'NaN'] as const)('precision, recall and F1, with %s for 0 / 0', (division) => {
    const options = { ...given, zeroDivision: Number(division) };
    const report = classReport(predicted, truth, options);
    for (const average of ['macro', 'micro', 'weighted'] as const) {
      const wanted = scores[division][average];
      expectScores(report[average], wanted);
      expectClose(precision(predicted, truth, { ...options, average }), wanted.precision);
      expectClose(recall(predicted, truth, { ...options, average }), wanted.recall);
      expectClose(f1(predicted, truth, { ...options, average }), wanted.f1);
    }
    expect(report.perClass).toHaveLength(scores[division].perClass.length);
    for (const [k, wanted] of scores[division].perClass.entries()) {
      expectScores(report.perClass[k]!, wanted);
      expect(report.perClass[k]!.support).toBe(wanted.support);
    }
  });
});

const binaryCases = cases.classes.filter((each) => each.binary !== undefined);
it.each(binaryCases)('class 1 alone: $name', ({ predicted, truth, binary }) => {
  const average = 'binary';
  const found = {
    precision: precision(predicted, truth, { average }),
    recall: recall(predicted, truth, { average }),
    f1: f1(predicted, truth, { average }),
  };
  expectScores(found, binary!);
});

it.each(cases.ranking)('AUC: $name', ({ scores, truth, auc: stored }) => {
  expectClose(auc(scores, truth), stored);
});

it('AUC of one class alone is NaN', () => {
  expect(cases.oneClass).toBe('NaN');
  expect(auc([0.1, 0.2, 0.3], [1, 1, 1])).toBeNaN();
  expect(aucOneVsRest([0.5, 0.5, 0.1, 0.9], [1, 1])).toBeNaN();
});

describe.each(cases.scores)('scores: $name', ({ probabilities, logits, truth, ...stored }) => {
  it.each(Object.entries(stored.top))('true class among the %s best', (k, share) => {
    expectClose(topK(logits, truth, Number(k)), share);
  });

  it('AUC of each class against all others', () => {
    expectClose(aucOneVsRest(probabilities, truth), stored.aucOneVsRest);
  });

  it('log loss, and its exponential', () => {
    expectClose(logLoss(probabilities, truth), stored.logLoss);
    expectClose(perplexity(probabilities, truth), Math.exp(stored.logLoss));
  });
});

it.each(cases.losses)('log loss: $name', ({ probabilities, truth, f64, f32 }) => {
  expectClose(logLoss(Float64Array.from(probabilities), truth), f64);
  expect(logLoss(Float32Array.from(probabilities), truth)).toBeCloseTo(f32, 6);
});

it.each(cases.regression)('regression: $name', ({ predicted, truth, columns, mae, mse, rmse, r2 }) => {
  expectClose(meanAbsoluteError(predicted, truth), mae);
  expectClose(meanSquaredError(predicted, truth), mse);
  expectClose(rootMeanSquaredError(predicted, truth, columns), rmse);
  expectClose(rSquared(predicted, truth, columns), r2);
});
