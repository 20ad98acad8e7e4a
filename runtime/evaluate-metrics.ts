/**
 * Metrics of a whole split, computed on the predictions of all its rows at once: what no average over batches can give (an
 * AUC, an F1, a root of a mean).
 */
import { DataError } from './errors.ts';
import { nameOfType } from './ports.ts';

/** A number of the outputs of all rows and the data they were made of. Its name is the caller's. */
export type SplitMetric<Inputs, Outputs> = (outputs: Outputs, data: Inputs) => number;
export type SplitMetrics<Inputs, Outputs> = Readonly<Record<string, SplitMetric<Inputs, Outputs>>>;

/**
 * To be called before training: each metric is a function, with a name that no other result has.
 * @param resultNames the loss and the metrics of the model
 * @throws DataError
 */
export function checkSplitMetrics<Inputs, Outputs>(
  metrics: SplitMetrics<Inputs, Outputs>,
  resultNames: readonly string[],
): void {
  for (const [name, metric] of Object.entries(metrics)) {
    if (typeof metric !== 'function')
      throw new DataError(`metric '${name}' must be a function of outputs and data, found ${typeof metric}`);
    if (resultNames.includes(name))
      throw new DataError(`the model itself has a result '${name}'; name the metric otherwise`);
    if (name.startsWith('val_'))
      throw new DataError(`metric '${name}': val_ is put before the names of results on validation data`);
  }
}

/** Each metric's number. NaN stays (an AUC where one class has no row). @throws DataError where it is no number */
export function computeSplitMetrics<Inputs, Outputs>(
  metrics: SplitMetrics<Inputs, Outputs>,
  outputs: Outputs,
  data: Inputs,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, metric]) => {
      const value: unknown = metric(outputs, data);
      if (typeof value !== 'number')
        throw new DataError(`metric '${name}' must give a number, found ${nameOfType(value)}`);
      return [name, value];
    }),
  );
}
