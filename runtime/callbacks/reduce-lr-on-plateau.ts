/** Turns the rate down when a figure stops getting better (Keras's ReduceLROnPlateau). */
import type { Callback, CallbackState, EpochReport, FitContext } from '../callback.ts';
import { checkOptionNames, DataError, type OptionNames } from '../errors.ts';
import { countIn, Monitor, MONITOR_OPTIONS, numberFrom, numberIn, type MonitorOptions } from './monitor.ts';

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by; 0.1 by default. */
  readonly factor?: number;
  /** Epochs in a row that may be no better; 10 by default. */
  readonly patience?: number;
  /** Epochs after a reduction in which nothing is counted. */
  readonly cooldown?: number;
  /** `rateFactor` is not made less than this. */
  readonly minFactor?: number;
}

const OPTIONS: OptionNames<ReduceLROnPlateauOptions> = {
  ...MONITOR_OPTIONS,
  factor: true,
  patience: true,
  cooldown: true,
  minFactor: true,
};

export class ReduceLROnPlateau implements Callback {
  readonly name = 'ReduceLROnPlateau';
  private readonly monitor: Monitor;
  private readonly factor: number;
  private readonly patience: number;
  private readonly cooldown: number;
  private readonly minFactor: number;
  private waited = 0;
  private cooling = 0;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    checkOptionNames(this.name, OPTIONS, options);
    this.monitor = new Monitor({ minDelta: 1e-4, ...options });
    this.factor = numberFrom('factor', options.factor ?? 0.1, 0);
    if (this.factor >= 1) throw new DataError(`factor must be less than 1, found ${this.factor}`);
    this.patience = numberFrom('patience', options.patience ?? 10, 0, true);
    this.cooldown = numberFrom('cooldown', options.cooldown ?? 0, 0, true);
    this.minFactor = numberFrom('minFactor', options.minFactor ?? 0, 0);
  }

  onTrainBegin(context: FitContext): void {
    this.monitor.requireIn(context, this.name);
    requireRate(context);
    if (!context.resumed) this.setState({ best: NaN, waited: 0, cooling: 0 });
  }

  onEpochEnd({ results }: EpochReport, { trainer }: FitContext): void {
    if (this.cooling > 0) {
      this.cooling--;
      this.waited = 0;
    }
    if (this.monitor.improves(results[this.monitor.name]!)) this.waited = 0;
    else if (this.cooling === 0 && ++this.waited >= Math.max(1, this.patience)) {
      // a factor that is less already, for whatever reason, is not raised
      const reduced = Math.max(trainer.rateFactor * this.factor, this.minFactor);
      trainer.rateFactor = Math.min(trainer.rateFactor, reduced);
      this.cooling = this.cooldown;
      this.waited = 0;
    }
  }

  getState(): CallbackState {
    return { best: this.monitor.best, waited: this.waited, cooling: this.cooling };
  }

  setState(state: CallbackState): void {
    this.monitor.best = numberIn(state, 'best');
    this.waited = countIn(state, 'waited');
    this.cooling = countIn(state, 'cooling');
  }
}

/** @throws DataError where no optimizer of the model has a rate: setting what is there says so */
export function requireRate({ trainer }: FitContext): void {
  const factor = trainer.rateFactor;
  trainer.rateFactor = factor;
}
