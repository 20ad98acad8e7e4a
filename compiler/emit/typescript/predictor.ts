/** @file What a module for inference has of its own: the description without training, and `createPredictor`. */
import type { PlaceDescription, PredictorDescription } from '../../../runtime/types.ts';
import { DEFAULT_BATCH, describeModel } from './describe.ts';
import { created, observerNames } from './create.ts';
import type { EmitRequest } from './request.ts';
import type { UpdateText } from './update.ts';

export function describePredictor(request: EmitRequest): PredictorDescription {
  const { name, dtype, inputs, outputs, parameters, states, layers, work, batchwise } = describeModel(
    request,
    [],
  );
  const { program, training } = request.model;
  const read = new Set(parameters.map((parameter) => parameter.name));
  const dependent = (batchwise ?? []).filter((result) => program.outputs.includes(result));
  const place = ({
    name,
    shape = [],
    offset,
    size,
  }: Partial<PlaceDescription> & Named): PlaceDescription => ({
    name,
    shape,
    offset,
    size,
  });
  return {
    name,
    dtype,
    inputs,
    outputs,
    ...(dependent.length === 0 ? {} : { batchwise: dependent }),
    parameters: parameters.map(place),
    states: states.map(place),
    unread: [...program.tensors.values()]
      .filter((tensor) => tensor.role === 'parameter' && !read.has(tensor.name))
      .map((tensor) => tensor.name),
    batch: training?.batch ?? DEFAULT_BATCH,
    seed: training?.seed ?? 0,
    layers,
    work,
  };
}

type Named = Pick<PlaceDescription, 'name' | 'offset' | 'size'>;

/** Nothing is trained, so nothing is updated. */
export const noUpdate: UpdateText = {
  declarations: [],
  calls: [],
  states: [],
  stateSize: 0,
  scalarSize: 0,
  rateSize: 0,
};

export function createPredictorText(request: EmitRequest): string {
  const { options, create } = created(request, 'PredictorOptions');
  const more = request.options.standalone === undefined ? [] : observerNames(request);
  const exported = more.length === 0 ? '' : `\n\nexport { ${more.join(', ')} };`;
  return `/** A predictor, to be given the weights of a training before it is used. */
export function createPredictor(${options} = {}): Predictor<Inputs, Outputs> {
  return makePredictor<Inputs, Outputs>({ description, ${create} }, options);
}${exported}`;
}
