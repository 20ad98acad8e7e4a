/** What a report says of a split: loss and metrics, and how classes were taken for each other. */
import { DataError } from '../errors.ts';
import {
  argmax,
  classReport,
  confusionMatrix,
  threshold,
  type ClassReport,
  type ConfusionMatrix,
} from '../metrics/index.ts';
import { sizeOf } from '../ports.ts';
import type { ModelDescription, Port } from '../types.ts';
import type { ReportSource, SplitOptions } from './options.ts';

export interface SplitReport {
  readonly name: string;
  readonly results: Readonly<Record<string, number>>;
  /** Absent where the model has no classes. */
  readonly classes?: {
    readonly names: readonly string[];
    readonly matrix: ConfusionMatrix;
    readonly scores: ClassReport;
  };
}

/** @throws DataError where the data are wrong, or the names given are not of classes */
export function judge<Inputs>(
  trainer: Omit<ReportSource<Inputs>, 'getTraining'>,
  options: SplitOptions<Inputs>,
): SplitReport {
  const { data, name = 'test' } = options;
  const results = trainer.evaluate(data);
  const found = classPorts(trainer.description, options);
  if (found === undefined) return { name, results };
  const { label, output } = found;
  const count = label.greatest! + 1;
  const outputs = trainer.predict(data) as Readonly<Record<string, ArrayLike<number>>>;
  const scores = outputs[output.name]!;
  const isOne = sizeOf(output) === 1;
  // a logit is cut at another place than a probability
  if (isOne && Array.from(scores).some((score) => score < 0 || score > 1)) {
    if (options.output === undefined) return { name, results };
    throw new DataError(`output '${output.name}' must be the probability of class 1, between 0 and 1`);
  }
  const predicted = isOne ? threshold(scores) : argmax(scores, count);
  const truth = (data as Readonly<Record<string, ArrayLike<number>>>)[label.name]!;
  const names = options.classes ?? Array.from({ length: count }, (_, k) => String(k));
  if (names.length !== count)
    throw new DataError(
      `classes must have ${count} names, those of input '${label.name}'; found ${names.length}`,
    );
  return {
    name,
    results,
    classes: {
      names,
      matrix: confusionMatrix(predicted, truth, count),
      scores: classReport(predicted, truth, { classes: count }),
    },
  };
}

/** The input with true classes 0 .. k-1 and the output with a number for each (or, of two, one probability). */
function classPorts(
  { inputs, outputs }: ModelDescription,
  { label: labelName, output: outputName }: SplitOptions<unknown>,
): { readonly label: Port; readonly output: Port } | undefined {
  const labels = inputs.filter(
    (port) =>
      port.element === 'integer' &&
      port.batched &&
      sizeOf(port) === 1 &&
      port.least === 0 &&
      port.greatest !== undefined,
  );
  const label = labelName === undefined ? onlyOf(labels) : labels.find(({ name }) => name === labelName);
  const fits = outputs.filter((port) => {
    const size = sizeOf(port);
    return (
      port.batched &&
      port.element === 'real' &&
      label !== undefined &&
      (size === label.greatest! + 1 || (size === 1 && label.greatest === 1))
    );
  });
  const output = outputName === undefined ? onlyOf(fits) : fits.find(({ name }) => name === outputName);
  if (label !== undefined && output !== undefined) return { label, output };
  if (labelName !== undefined && label === undefined)
    throw new DataError(`'${labelName}' is no input with one class, from 0, for each row`);
  if (outputName !== undefined)
    throw new DataError(`'${outputName}' is no output with a number for each class`);
  return undefined;
}

function onlyOf<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
