/** Hands out the whole training as it goes (Keras's ModelCheckpoint). */
import type { BatchReport, Callback, CallbackState, EpochReport, FitContext } from '../callback.ts';
import { checkOptionNames, DataError, mustBe, type OptionNames } from '../errors.ts';
import { getTraining, type TrainingSnapshot } from '../snapshot.ts';
import { Monitor, MONITOR_OPTIONS, numberFrom, numberIn, truthFrom, type MonitorOptions } from './monitor.ts';

export interface ModelCheckpointOptions extends MonitorOptions {
  /**
   * The name of a checkpoint. `{epoch}`, `{step}` and figures of the report stand for their values: `{epoch:03d}` with zeros
   * before it, `{val_loss:.2f}` with so many decimals.
   */
  readonly path: string;
  /** Puts it somewhere; `fit` waits for it. */
  readonly write: (path: string, snapshot: TrainingSnapshot) => void | Promise<void>;
  /** Only when what is monitored is the best so far. */
  readonly saveBestOnly?: boolean;
  /** Epochs from one checkpoint to the next; 1 by default. */
  readonly every?: number;
  /** Steps from one to the next, instead of epochs; the figures of names are then the running ones. */
  readonly everySteps?: number;
}

const OPTIONS: OptionNames<ModelCheckpointOptions> = {
  ...MONITOR_OPTIONS,
  path: true,
  write: true,
  saveBestOnly: true,
  every: true,
  everySteps: true,
};

export class ModelCheckpoint implements Callback {
  readonly name = 'ModelCheckpoint';
  readonly runsLast = true;
  readonly skipsDevRun = true;
  /** The name of the last one that was written. */
  last: string | undefined;
  private readonly options: ModelCheckpointOptions;
  private readonly monitor: Monitor;
  private readonly every: number;
  private readonly everySteps: number | undefined;

  constructor(options: ModelCheckpointOptions) {
    checkOptionNames(this.name, OPTIONS, options);
    if (typeof options.path !== 'string' || options.path === '')
      throw new DataError('ModelCheckpoint needs a path');
    mustBe('write', 'a function', typeof options.write === 'function', options.write);
    truthFrom('saveBestOnly', options.saveBestOnly);
    this.options = options;
    this.monitor = new Monitor(options);
    this.every = numberFrom('every', options.every ?? 1, 1, true);
    const { everySteps } = options;
    this.everySteps = everySteps === undefined ? undefined : numberFrom('everySteps', everySteps, 1, true);
    if (this.everySteps !== undefined && options.saveBestOnly)
      throw new DataError('what is best is known at the end of an epoch: give saveBestOnly or everySteps');
  }

  onTrainBegin(context: FitContext): void | Promise<void> {
    if (this.options.saveBestOnly) this.monitor.requireIn(context, this.name);
    const known = ['epoch', 'step', ...context.names];
    for (const name of namesIn(this.options.path))
      if (!known.includes(name))
        throw new DataError(
          `the path '${this.options.path}' has {${name}}, but there are ${known.join(', ')} only`,
        );
    if (!context.resumed) this.monitor.best = NaN;
  }

  async onBatchEnd({ epoch, running }: BatchReport, context: FitContext): Promise<void> {
    if (this.everySteps === undefined || context.trainer.step % this.everySteps !== 0) return;
    await this.write({ ...running, epoch }, context);
  }

  async onEpochEnd({ epoch, results }: EpochReport, context: FitContext): Promise<void> {
    if (this.everySteps !== undefined || epoch % this.every !== 0) return;
    if (this.options.saveBestOnly && !this.monitor.improves(results[this.monitor.name]!)) return;
    await this.write({ ...results, epoch }, context);
  }

  private async write(figures: Record<string, number>, { trainer }: FitContext): Promise<void> {
    const path = pathFor(this.options.path, { ...figures, step: trainer.step });
    await this.options.write(path, getTraining(trainer));
    this.last = path;
  }

  getState(): CallbackState {
    return { best: this.monitor.best };
  }

  setState(state: CallbackState): void {
    this.monitor.best = numberIn(state, 'best');
  }
}

const FIELD = /\{(\w+)(?::(?:0?(\d+)d|\.(\d+)f))?\}/g;

const namesIn = (template: string): string[] => [...template.matchAll(FIELD)].map((match) => match[1]!);

/** `model-{epoch:03d}-{val_loss:.2f}` -> `model-007-0.31` */
function pathFor(template: string, figures: Readonly<Record<string, number>>): string {
  return template.replaceAll(FIELD, (_, name: string, digits?: string, decimals?: string) => {
    const value = figures[name] ?? NaN;
    if (decimals !== undefined) return value.toFixed(Number(decimals));
    return String(value).padStart(Number(digits ?? 0), '0');
  });
}
