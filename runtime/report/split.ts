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
  /** Why there is no confusion matrix. */
  readonly why?: string;
  /** Absent where there is no input with classes, or no output for them. */
  readonly classes?: {
    /** Of one probability: when a row is taken to be of class 1. */
    readonly cut?: string;
    readonly names: readonly string[];
    readonly matrix: ConfusionMatrix;
    readonly scores: ClassReport;
  };
}

/** A probability that is more means class 1. */
const CUT = 0.5;

/** @throws DataError where the data are wrong, or the names given are not of classes */
export function judge<Inputs>(
  trainer: Pick<ReportSource<Inputs>, 'description' | 'evaluate' | 'predict'>,
  options: SplitOptions<Inputs>,
): SplitReport {
  const { data, name = 'test' } = options;
  const found = classPorts(trainer.description, options);
  /** Names of classes ask for a matrix. */
  const without = (why: string): SplitReport => {
    if (options.classes !== undefined)
      throw new DataError(`classes are given, but there is no confusion matrix: ${why}`);
    return { name, results: trainer.evaluate(data), why };
  };
  if ('why' in found) return without(found.why);
  const results = trainer.evaluate(data);
  const { label, output } = found;
  const count = label.greatest! + 1;
  const outputs = trainer.predict(data) as Readonly<Record<string, ArrayLike<number>>>;
  const scores = outputs[output.name]!;
  const isOne = sizeOf(output) === 1;
  // of a training that has diverged a report is wanted most
  const broken = Array.from(scores).findIndex((score) => !Number.isFinite(score));
  if (broken !== -1) {
    const row = Math.floor(broken / sizeOf(output));
    return { name, results, why: `output '${output.name}' is ${scores[broken]} in row ${row}` };
  }
  // a logit is cut at another place than a probability, and its values may happen to be between 0 and 1
  if (isOne && output.probability !== true) {
    if (options.output === undefined)
      return without(
        `nothing in the formula of output '${output.name}' keeps it between 0 and 1, as a sigmoid does; say by \`output\` if it is the probability of class 1`,
      );
    if (Array.from(scores).some((score) => score < 0 || score > 1))
      throw new DataError(`output '${output.name}' must be the probability of class 1, between 0 and 1`);
  }
  const predicted = isOne ? threshold(scores, CUT) : argmax(scores, count);
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
      ...(isOne && { cut: `${output.name} > ${CUT}` }),
      matrix: confusionMatrix(predicted, truth, count),
      scores: classReport(predicted, truth, { classes: count }),
    },
  };
}

/** The input with true classes 0 .. k-1 and the output with a number for each (or, of two, one probability). */
function classPorts(
  { inputs, outputs }: ModelDescription,
  { label: labelName, output: outputName }: SplitOptions<unknown>,
): { readonly label: Port; readonly output: Port } | { readonly why: string } {
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
  if (label === undefined)
    return {
      why:
        labels.length === 0
          ? 'the model has no input with one class for each row, as `input label[n]: 3`'
          : `the true classes may be ${listed(labels)}; say by \`label\` which`,
    };
  const wanted = `a real number for each of the ${label.greatest! + 1} classes of input '${label.name}'`;
  return {
    why:
      fits.length === 0
        ? `no output has ${wanted}${label.greatest === 1 ? ', or the probability of class 1' : ''}, as \`output p[n, k] = softmax[k](z[n, k])\``
        : `the outputs ${listed(fits)} have ${wanted}; say by \`output\` which`,
  };
}

const listed = (ports: readonly Port[]): string => ports.map(({ name }) => `'${name}'`).join(', ');

function onlyOf<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
