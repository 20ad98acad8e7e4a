/** @file Names that are taken in every emitted file, so that tensors make way. */
import type { Helper } from './integers.ts';

export const EXPORTS = [
  'description',
  'createProgram',
  'createTrainer',
  'createPredictor',
  'Inputs',
  'Outputs',
  'ParameterName',
];
export const IMPORTS = [
  'makeTrainer',
  'drawBernoulli',
  'drawNormal',
  'drawUniform',
  'fillOrthogonal',
  'CompiledProgram',
  'IntegerData',
  'ModelDescription',
  'RealData',
  'Trainer',
  'TrainerOptions',
  'rowWeights',
  'makePredictor',
  'Predictor',
  'PredictingProgram',
  'PredictorDescription',
  'PredictorOptions',
];
export const HELPERS: readonly Helper[] = [
  'exp',
  'tanh',
  'erf',
  'sigmoid',
  'softplus',
  'roundHalfEven',
  'modulo',
  'square',
  'cube',
];
export const CLIPS = ['clipValues', 'clipGlobalNorm'];
export const LOCALS = [
  'batch',
  'parameters',
  'gradients',
  'state',
  'scalars',
  'rates',
  'rateFactor',
  'workspace',
  'doubles',
  'integers',
  'results',
  'seed',
  'step',
  'first',
];
