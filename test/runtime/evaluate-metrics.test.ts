import { describe, expect, it } from 'vitest';
import { auc } from '../../runtime/metrics/index.ts';
import { DataError } from '../../runtime/errors.ts';
import { checkSplitMetrics, computeSplitMetrics } from '../../runtime/evaluate-metrics.ts';

interface Inputs {
  readonly label: readonly number[];
}
interface Outputs {
  readonly p: Float32Array;
}
const outputs: Outputs = { p: Float32Array.of(0.1, 0.9, 0.8, 0.4) };
const data: Inputs = { label: [0, 1, 0, 1] };

describe('metrics of a whole split', () => {
  it('are computed on the outputs and data of all rows', () => {
    const metrics = {
      auc: ({ p }: Outputs, { label }: Inputs) => auc(p, label),
      rows: (outputs: Outputs) => outputs.p.length,
    };
    expect(computeSplitMetrics(metrics, outputs, data)).toEqual({ auc: 0.75, rows: 4 });
  });

  it('may be NaN, where there is nothing to tell apart', () => {
    const metrics = { auc: ({ p }: Outputs) => auc(p, [1, 1, 1, 1]) };
    expect(computeSplitMetrics(metrics, outputs, data)).toEqual({ auc: NaN });
  });

  it('that give no number are an error that names them', () => {
    const none = (() => undefined) as unknown as () => number;
    expect(() => computeSplitMetrics({ none }, outputs, data)).toThrow(DataError);
    expect(() => computeSplitMetrics({ none }, outputs, data)).toThrow(
      "metric 'none' must give a number, found undefined",
    );
  });

  it.each<[string, string]>([
    ['loss', "the model itself has a result 'loss'"],
    ['accuracy', "the model itself has a result 'accuracy'"],
    ['val_auc', "metric 'val_auc': val_ is put before"],
  ])('cannot be named %s', (name, words) => {
    const metrics = { [name]: () => 1 };
    expect(() => checkSplitMetrics(metrics, ['loss', 'accuracy'])).toThrow(DataError);
    expect(() => checkSplitMetrics(metrics, ['loss', 'accuracy'])).toThrow(words);
  });

  it('must be functions', () => {
    const metrics = { auc: 'auc' as unknown as () => number };
    expect(() => checkSplitMetrics(metrics, ['loss'])).toThrow(
      "metric 'auc' must be a function of outputs and data, found string",
    );
    expect(() => checkSplitMetrics({ auc: () => 1 }, ['loss'])).not.toThrow();
  });
});
