/** @file The model's description, as the runtime wants it: ports, parameters, states, defaults. */
import { batchwiseResults } from '../../graph/batchwise.ts';
import { probabilities } from '../../graph/intervals.ts';
import type { InitialValues, Initializer, Program, Tensor } from '../../graph/types.ts';
import type {
  ModelDescription,
  ParameterDescription,
  Port,
  StateDescription,
} from '../../../runtime/types.ts';
import { describeLayers, describeWork } from './layers.ts';
import type { EmitRequest } from './request.ts';

export const DEFAULT_BATCH = 32;

export function describeModel(request: EmitRequest, states: readonly StateDescription[]): ModelDescription {
  const { model, program, loops } = request;
  const { training } = model;
  const predictReads = new Set(loops.predict.flatMap((step) => step.buffers));
  const tensors = [...program.tensors.values()];
  const batchwise = batchwiseResults(model.program, model.batch);
  return {
    name: model.name,
    dtype: loops.dtype,
    inputs: tensors
      .filter((tensor) => tensor.role === 'input')
      .map((tensor) => ({ ...describePort(tensor, model.batch), predicts: predictReads.has(tensor.name) })),
    outputs: describeOutputs(request),
    metrics: program.metrics,
    ...(batchwise.length === 0 ? {} : { batchwise }),
    hasLoss: program.loss !== undefined,
    trains: program.loss !== undefined && training !== undefined && training.groups.length > 0,
    parameters: tensors
      .filter((tensor) => tensor.role === 'parameter')
      .map((tensor) => describeParameter(tensor, request)),
    states: [...modelStates(request), ...states],
    layers: describeLayers(request),
    work: describeWork(request),
    training: {
      batch: training?.batch ?? DEFAULT_BATCH,
      epochs: training?.epochs ?? 1,
      seed: training?.seed ?? 0,
      shuffle: training?.shuffle ?? true,
      rates: (training?.groups ?? []).flatMap(({ rate }) => (rate === undefined ? [] : rate.name)),
    },
  };
}

export function tensorOf(program: Program, name: string): Tensor {
  const tensor = program.tensors.get(name);
  if (tensor === undefined) throw new Error(`the program has no tensor '${name}'`);
  return tensor;
}

function describeOutputs({ model, program }: EmitRequest): Port[] {
  const likely = probabilities(model.program);
  return program.outputs.map((name) => {
    const port = describePort(tensorOf(program, name), model.batch);
    const isOne = port.element === 'real' && port.batched && port.shape.every((axis) => axis === 1);
    return isOne && likely.has(name) ? { ...port, probability: true } : port;
  });
}

function describePort(tensor: Tensor, batch: string | undefined): Port {
  const batched = batch !== undefined && tensor.axes[0] === batch;
  const from = batched ? 1 : 0;
  const shape = tensor.axes.slice(from).map((axis) => {
    if (typeof axis !== 'number')
      throw new Error(`'${tensor.name}' has the size ${axis} that is not its first`);
    return axis;
  });
  return {
    name: tensor.name,
    shape,
    batched,
    axes: tensor.axisNames.slice(from, from + shape.length),
    element: tensor.element === 'integer' ? 'integer' : 'real',
    ...tensor.range,
    ...(tensor.default === undefined ? {} : { default: tensor.default }),
  };
}

function describeParameter(tensor: Tensor, { loops }: EmitRequest): ParameterDescription {
  const buffer = loops.buffers.get(tensor.name);
  if (buffer === undefined || buffer.pool !== 'parameters')
    throw new Error(`parameter '${tensor.name}' has no place`);
  return {
    name: tensor.name,
    shape: tensor.axes.map(Number),
    offset: buffer.offset.constant,
    size: buffer.size.constant,
    frozen: tensor.frozen === true,
    initializer: withoutName(tensor.initializer ?? { kind: 'constant', value: 0 }),
  };
}

/** States of the model itself (running statistics), which the loop program lays out. */
function modelStates({ program, loops }: EmitRequest): StateDescription[] {
  return [...loops.buffers.values()]
    .filter((buffer) => buffer.pool === 'state')
    .map((buffer) => {
      const { axes, initializer } = tensorOf(program, buffer.tensor);
      return {
        name: buffer.tensor,
        shape: axes.map(Number),
        offset: buffer.offset.constant,
        size: buffer.size.constant,
        initial:
          initializer === undefined || initializer.kind === 'constant'
            ? initialOf(initializer)
            : withoutName(initializer),
        scalar: false,
      };
    });
}

/** The values alone: the runtime makes them, however the user wrote it. */
function withoutName(initializer: Initializer): InitialValues {
  const { name: _, ...values } = initializer;
  return values;
}

/** The states of optimizers and schedules start from one value. */
export function initialOf(initializer: Initializer | undefined): number {
  if (initializer === undefined) return 0;
  if (initializer.kind !== 'constant') throw new Error(`a state cannot start from '${initializer.kind}'`);
  return initializer.value;
}
