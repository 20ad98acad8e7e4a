/** Sets the rate of each epoch (Keras's LearningRateScheduler). */
import type { Callback, FitContext } from '../callback.ts';
import { DataError } from '../errors.ts';
import { nameOfType } from '../ports.ts';
import { requireRate } from './reduce-lr-on-plateau.ts';

/** @param epoch from 1 */
export type RateOfEpoch = (epoch: number, rateFactor: number) => number;

/**
 * `new LearningRateScheduler((epoch) => 0.9 ** (epoch - 1))`: what the function gives is the trainer's `rateFactor` for the
 * epoch, by which the rate of the train block is multiplied. A schedule in the model itself changes from step to step.
 */
export class LearningRateScheduler implements Callback {
  readonly name = 'LearningRateScheduler';
  private readonly schedule: RateOfEpoch;

  constructor(schedule: RateOfEpoch) {
    if (typeof schedule !== 'function')
      throw new DataError(
        `LearningRateScheduler needs a function of the epoch, found ${nameOfType(schedule)}`,
      );
    this.schedule = schedule;
  }

  onTrainBegin(context: FitContext): void {
    requireRate(context);
  }

  onEpochBegin(epoch: number, { trainer }: FitContext): void {
    trainer.rateFactor = this.schedule(epoch, trainer.rateFactor);
  }
}
