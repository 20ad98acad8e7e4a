/** Stops a fit whose loss is NaN or infinite, and says where (Keras's TerminateOnNaN). */
import type { BatchReport, Callback, FitContext } from '../callback.ts';
import { checkOptionNames } from '../errors.ts';
import { checkFunction } from './monitor.ts';

export interface TerminateOnNaNOptions {
  /** Takes the sentence that says at which step and epoch; `console.warn` by default. */
  readonly onStop?: (message: string) => void;
}

export class TerminateOnNaN implements Callback {
  readonly name = 'TerminateOnNaN';
  /** The step whose loss was the first that is not finite. */
  step: number | undefined;
  private readonly onStop: (message: string) => void;

  constructor(options: TerminateOnNaNOptions = {}) {
    checkOptionNames<TerminateOnNaNOptions>(this.name, { onStop: true }, options);
    checkFunction('onStop', options.onStop);
    this.onStop = options.onStop ?? ((message) => console.warn(message));
  }

  onTrainBegin(): void {
    this.step = undefined;
  }

  onBatchEnd({ epoch, running }: BatchReport, { trainer, stop }: FitContext): void {
    const { loss } = running;
    if (Number.isFinite(loss)) return;
    this.step = trainer.step;
    this.onStop(`the fit stops: the loss is ${loss} at step ${this.step}, in epoch ${epoch}`);
    stop();
  }
}
