/** Weights of rows: the model says by `input sample_weight[n] = 1` where they enter, `fit` fills it. */
import { DataError } from './errors.ts';
import { isArrayLike } from './ports.ts';
import type { Data } from './ports.ts';
import type { Engine } from './engine.ts';
import type { FitOptions, WeightOfClass } from './options.ts';
import type { Port } from './types.ts';

const WEIGHT = 'sample_weight';

/** The data with what `sampleWeight` gives. @throws DataError */
export function withSampleWeight(engine: Engine, data: Data, options: FitOptions<unknown>): Data {
  const { sampleWeight } = options;
  if (sampleWeight === undefined) return data;
  requireWeightInput(engine, 'sampleWeight');
  if (data[WEIGHT] !== undefined)
    throw new DataError(`sampleWeight is given, and the data have a ${WEIGHT} too: one is enough`);
  if (!isArrayLike(sampleWeight))
    throw new DataError('sampleWeight must be an array with a number for each row');
  return { ...data, [WEIGHT]: sampleWeight as Data[string] };
}

function requireWeightInput({ description }: Engine, option: string): void {
  const port = description.inputs.find(({ name }) => name === WEIGHT);
  const fits = port !== undefined && port.batched && port.shape.length === 0 && port.element === 'real';
  if (fits) return;
  throw new DataError(
    `${option} needs a model that says where weights enter: declare \`input ${WEIGHT}[n] = 1\` in model ` +
      `${description.name} and multiply it into the loss, as in \`loss = mean[n](${WEIGHT}[n] * ...)\``,
  );
}

/** Multiplies the weights of classes into the staged `sample_weight`, or does nothing. @throws DataError */
export function classWeighting(
  engine: Engine,
  classWeight: FitOptions<unknown>['classWeight'],
): (rows: number) => void {
  if (classWeight === undefined) return () => {};
  requireWeightInput(engine, 'classWeight');
  const { port, weights } = classesOf(engine, classWeight);
  const { least = 0, greatest = 0 } = port;
  const table = new Float64Array(greatest - least + 1).fill(1);
  for (const [key, weight] of Object.entries(weights)) {
    const label = Number(key);
    if (!Number.isInteger(label) || label < least || label > greatest)
      throw new DataError(
        `classWeight: input '${port.name}' has the classes ${least} to ${greatest}, not ${key}`,
      );
    if (typeof weight !== 'number' || !(weight >= 0 && weight < Infinity))
      throw new DataError(
        `classWeight of class ${key} must be 0 or a positive number, found ${String(weight)}`,
      );
    table[label - least] = weight;
  }
  const labels = engine.program.inputs[port.name]!;
  const target = engine.program.inputs[WEIGHT]!;
  return (rows) => {
    for (let row = 0; row < rows; row++) target[row]! *= table[labels[row]! - least]!;
  };
}

/** Which input has the classes: the one that is named, or the only one that can. */
function classesOf(
  { description }: Engine,
  classWeight: NonNullable<FitOptions<unknown>['classWeight']>,
): { readonly port: Port; readonly weights: WeightOfClass } {
  const ports = description.inputs.filter(
    ({ batched, shape, element }) => batched && shape.length === 0 && element === 'integer',
  );
  const names = ports.map(({ name }) => `'${name}'`).join(', ') || 'none';
  const entries = Object.entries(classWeight);
  if (entries.every(([, value]) => typeof value === 'object' && value !== null)) {
    const [first] = entries;
    const port = ports.find(({ name }) => name === first?.[0]);
    if (first === undefined || entries.length > 1 || port === undefined)
      throw new DataError(
        `classWeight must name one input with an integer for each row; the model's are ${names}`,
      );
    return { port, weights: first[1] as WeightOfClass };
  }
  const [port] = ports;
  if (port === undefined || ports.length > 1)
    throw new DataError(
      `classWeight needs one input with an integer for each row, the model's are ${names}; ` +
        `name it, as in classWeight: { label: { 0: 1, 1: 5 } }`,
    );
  return { port, weights: classWeight as WeightOfClass };
}
