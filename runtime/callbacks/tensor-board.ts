/** Figures for TensorBoard (Keras's TensorBoard): a run `train` and, where there is validation data, a run `validation`. */
import type { BatchReport, Callback, EpochReport, FitContext } from '../callback.ts';
import { checkOptionNames, mustBe, type OptionNames } from '../errors.ts';
import { fileHeader, scalarEvent } from './event-file.ts';
import { checkFunction, numberFrom } from './monitor.ts';

export type TensorBoardRun = 'train' | 'validation';

export interface TensorBoardOptions {
  /** Takes bytes to be put at the end of the event file of a run; `fit` waits for it. */
  readonly write: (run: TensorBoardRun, bytes: Uint8Array) => void | Promise<void>;
  /** What is written next is the beginning of a new file of the run. */
  readonly begin?: (run: TensorBoardRun) => void;
  /** Also every so many steps, under `batch_loss` and so on: figures of the epoch so far. */
  readonly everySteps?: number;
  /** Seconds since 1970. */
  readonly now?: () => number;
}

const OPTIONS: OptionNames<TensorBoardOptions> = { write: true, begin: true, everySteps: true, now: true };

/**
 * Tags are the names of the figures, so that `loss` of both runs is one chart, and `rate_factor` and `learning_rate` (of several
 * optimizers `learning_rate/NAME`). The step is the epoch.
 */
export class TensorBoard implements Callback {
  readonly name = 'TensorBoard';
  readonly skipsDevRun = true;
  private readonly write: TensorBoardOptions['write'];
  private readonly begin: TensorBoardOptions['begin'];
  private readonly everySteps: number | undefined;
  private readonly now: () => number;

  constructor(options: TensorBoardOptions) {
    checkOptionNames(this.name, OPTIONS, options);
    const { write, begin, everySteps, now = () => Date.now() / 1000 } = options;
    mustBe('write', 'a function', typeof write === 'function', write);
    checkFunction('begin', begin);
    checkFunction('now', now);
    this.write = write;
    this.begin = begin;
    this.everySteps = everySteps === undefined ? undefined : numberFrom('everySteps', everySteps, 1, true);
    this.now = now;
  }

  async onTrainBegin({ names }: FitContext): Promise<void> {
    const runs: readonly TensorBoardRun[] = names.some(isValidation) ? ['train', 'validation'] : ['train'];
    for (const run of runs) {
      this.begin?.(run);
      await this.write(run, fileHeader(this.now()));
    }
  }

  async onBatchEnd({ running }: BatchReport, { trainer }: FitContext): Promise<void> {
    if (this.everySteps === undefined || trainer.step % this.everySteps !== 0) return;
    const scalars = Object.fromEntries(
      Object.entries(running).map(([name, value]) => [`batch_${name}`, value]),
    );
    await this.write('train', scalarEvent(this.now(), trainer.step, scalars));
  }

  async onEpochEnd({ epoch, results }: EpochReport, { trainer }: FitContext): Promise<void> {
    const entries = Object.entries(results);
    const train = entries.filter(([name]) => !isValidation(name));
    const validation = entries
      .filter(([name]) => isValidation(name))
      .map(([name, value]) => [name.slice(4), value]);
    const rates = Object.entries(trainer.rates);
    const tagOf = (name: string): string => (rates.length === 1 ? 'learning_rate' : `learning_rate/${name}`);
    const scalars = {
      ...Object.fromEntries(train),
      rate_factor: trainer.rateFactor,
      ...Object.fromEntries(rates.map(([name, rate]) => [tagOf(name), rate])),
    };
    await this.write('train', scalarEvent(this.now(), epoch, scalars));
    if (validation.length > 0)
      await this.write('validation', scalarEvent(this.now(), epoch, Object.fromEntries(validation)));
  }
}

const isValidation = (name: string): boolean => name.startsWith('val_');
