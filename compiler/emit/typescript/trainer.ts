/** @file `createTrainer`, and what a module for training hands to the runtime. */
import { created, observerNames } from './create.ts';
import type { EmitRequest } from './request.ts';

export function createTrainerText(request: EmitRequest): string {
  const { options, create: making } = created(request, 'TrainerOptions');
  const parts = [
    'description',
    making,
    ...(hasOrthogonal(request) ? ['initializers: { orthogonal: fillOrthogonal }'] : []),
    ...(weighsRows(request) ? ['weighting: rowWeights'] : []),
  ];
  const create = `/** A trainer with fresh parameters. */
export function createTrainer(${options} = {}): Trainer<Inputs, Outputs> {
  return makeTrainer<Inputs, Outputs>({ ${parts.join(', ')} }, options);
}`;
  // what others import from the runtime
  return request.options.standalone === undefined
    ? create
    : `${create}\n\nexport { ${['getTraining', 'setTraining', ...observerNames(request)].join(', ')} };`;
}

/** Whether a parameter or a state of the model begins as an orthogonal matrix, which only then is imported. */
export function hasOrthogonal({ program, inference }: EmitRequest): boolean {
  const tensors = [...program.tensors.values()];
  return inference !== true && tensors.some(({ initializer }) => initializer?.kind === 'orthogonal');
}

/** Whether `fit` can fill an input with weights of rows: that part of the runtime is imported only then. */
export function weighsRows({ program, model, inference }: EmitRequest): boolean {
  const tensor = program.tensors.get('sample_weight');
  return (
    inference !== true &&
    tensor?.role === 'input' &&
    tensor.element !== 'integer' &&
    tensor.axes.length === 1 &&
    tensor.axes[0] === model.batch
  );
}
