/**
 * From a trainer to its engine, for functions beside the trainer: whoever does not import them does not ship them. No part of
 * the interface.
 */
import type { Engine } from './engine.ts';
import { DataError } from './errors.ts';

/** One for all copies of the runtime: callbacks of the package work on a trainer of a module that imports nothing, too. */
export const ENGINE: unique symbol = Symbol.for('chainrule engine');

export interface WithEngine {
  readonly [ENGINE]: Engine;
}

/** @throws DataError where it is no trainer that `createTrainer` made */
export function engineOf(trainer: object): Engine {
  if (hasEngine(trainer)) return trainer[ENGINE];
  throw new DataError('a training is that of a trainer which createTrainer has made');
}

function hasEngine(trainer: object): trainer is WithEngine {
  return typeof trainer === 'object' && trainer !== null && ENGINE in trainer;
}
