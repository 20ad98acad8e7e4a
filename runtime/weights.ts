/** Weights of rows: the model says by `input sample_weight[n] = 1` where they enter, `fit` fills it. */
import { DataError } from './errors.ts';
import { isArrayLike } from './ports.ts';
import type { Data } from './ports.ts';
import type { Engine } from './engine.ts';
import type { FitOptions, WeightOfClass } from './options.ts';
import type { Port } from './types.ts';

const WEIGHT = 'sample_weight';

export interface RowWeighting {
  /** The data with what `sampleWeight` gives. @throws DataError */
  withSampleWeight(data: Data, sampleWeight: unknown): Data;
  /** Multiplies the weights of classes into the staged `sample_weight`. @throws DataError */
  classWeighting(engine: Engine, classWeight: ClassWeight): (rows: number) => void;
}

type ClassWeight = NonNullable<FitOptions<unknown>['classWeight']>;

/** What the modules of models with an `input sample_weight[n]` bring along; pages of others do without. */
export const rowWeights: RowWeighting = { withSampleWeight: addWeights, classWeighting: weighClasses };

function addWeights(data: Data, sampleWeight: unknown): Data {
  if (data[WEIGHT] !== undefined)
    throw new DataError(`sampleWeight is given, and the data have a ${WEIGHT} too: one is enough`);
  if (!isArrayLike(sampleWeight))
    throw new DataError('sampleWeight must be an array with a number for each row');
  return { ...data, [WEIGHT]: sampleWeight as Data[string] };
}

function weighClasses(engine: Engine, classWeight: ClassWeight): (rows: number) => void {
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
  classWeight: ClassWeight,
): { readonly port: Port; readonly weights: WeightOfClass } {
  const ports = description.inputs.filter(
    ({ batched, shape, element }) => batched && shape.length === 0 && element === 'integer',
  );
  const names = ports.map(({ name }) => `'${name}'`).join(', ') || 'none';
  const entries = Object.entries(classWeight);
  if (entries.length === 0)
    throw new DataError('classWeight names no class; give weights, as in classWeight: { 0: 1, 1: 5 }');
  if (entries.every(([, value]) => typeof value === 'object' && value !== null)) {
    const first = entries[0]!;
    const port = ports.find(({ name }) => name === first[0]);
    if (entries.length > 1 || port === undefined)
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
