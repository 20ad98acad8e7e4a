/** Stops a fit whose loss is NaN or infinite (Keras's TerminateOnNaN). */
import type { BatchReport, Callback, FitContext } from '../callback.ts';

export class TerminateOnNaN implements Callback {
  readonly name = 'TerminateOnNaN';
  /** The step whose loss was the first that is not finite. */
  step: number | undefined;

  onTrainBegin(): void {
    this.step = undefined;
  }

  onBatchEnd({ running }: BatchReport, context: FitContext): void {
    if (Number.isFinite(running['loss'])) return;
    this.step = context.trainer.step;
    context.stop();
  }
}
