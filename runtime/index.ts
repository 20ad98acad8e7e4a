/** What a generated trainer imports. */
export { makeTrainer } from './trainer.ts';
export type { EpochReport, FitOptions, History, Results, Trainer, TrainerOptions } from './trainer.ts';
export { DataError } from './errors.ts';
export type { IntegerData, RealData } from './ports.ts';
export * from './math.ts';
export * from './npy.ts';
export { drawBernoulli, drawNormal, drawUniform, Random } from './random.ts';
export type * from './types.ts';
