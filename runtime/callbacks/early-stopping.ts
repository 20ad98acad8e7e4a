/**
 * Stops a fit that does not get better any more (Keras's EarlyStopping). What it has stopped stays so when it is resumed,
 * unless with more patience.
 */
import type { Callback, CallbackState, EpochReport, FitContext, Learner, Outcome } from '../callback.ts';
import { checkOptionNames, DataError, type OptionNames } from '../errors.ts';
import { checkedValues } from '../named.ts';
import type { RealArray } from '../types.ts';
import {
  countIn,
  Monitor,
  MONITOR_OPTIONS,
  numberFrom,
  numberIn,
  truthFrom,
  type MonitorOptions,
} from './monitor.ts';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs in a row that may be no better; 0 by default. */
  readonly patience?: number;
  /** At the end (not when the fit is aborted), the weights and running statistics of the best epoch are put back. */
  readonly restoreBestWeights?: boolean;
}

const OPTIONS: OptionNames<EarlyStoppingOptions> = {
  ...MONITOR_OPTIONS,
  patience: true,
  restoreBestWeights: true,
};

/** States with a shape are the model's own, not the optimizer's. */
const isOfModel = ({ shape }: { readonly shape?: readonly number[] }): boolean => shape !== undefined;

export class EarlyStopping implements Callback {
  readonly name = 'EarlyStopping';
  readonly skipsDevRun = true;
  /** Of the best epoch so far; 0 before there is one. */
  bestEpoch = 0;
  private readonly monitor: Monitor;
  private readonly patience: number;
  private readonly restores: boolean;
  private waited = 0;
  private weights: Record<string, RealArray> = {};
  private states: Record<string, RealArray> = {};

  constructor(options: EarlyStoppingOptions = {}) {
    checkOptionNames(this.name, OPTIONS, options);
    this.monitor = new Monitor(options);
    this.patience = numberFrom('patience', options.patience ?? 0, 0, true);
    this.restores = truthFrom('restoreBestWeights', options.restoreBestWeights);
  }

  /** The best value so far; NaN before there is one. */
  get best(): number {
    return this.monitor.best;
  }

  onTrainBegin(context: FitContext): void {
    this.monitor.requireIn(context, this.name);
    if (!context.resumed) this.setState({ best: NaN, bestEpoch: 0, waited: 0 });
    if (this.restores && this.bestEpoch > 0) this.requireKept(context.trainer);
    // the fit may have been aborted, or its process killed, in the very epoch that was the last
    if (this.isOutOfPatience()) context.stop();
  }

  /** What is to be restored at the end is looked at before the beginning. @throws DataError */
  private requireKept({ description: { parameters, states } }: Learner): void {
    const own = states.filter(isOfModel);
    for (const [entries, kept] of [
      [parameters, this.weights],
      [own, this.states],
    ] as const)
      for (const { name } of entries)
        if (!Object.hasOwn(kept, name))
          throw new DataError(
            `to resume with restoreBestWeights, the weights of epoch ${this.bestEpoch} must be in the training: '${name}' is not`,
          );
    checkedValues('parameter', parameters, this.weights);
    checkedValues('state', own, this.states);
  }

  onEpochEnd({ results, epoch }: EpochReport, context: FitContext): void {
    if (this.monitor.improves(results[this.monitor.name]!)) {
      this.bestEpoch = epoch;
      this.waited = 0;
      if (this.restores) this.keep(context.trainer);
      return;
    }
    this.waited++;
    if (this.isOutOfPatience()) context.stop();
  }

  private isOutOfPatience(): boolean {
    return this.waited >= Math.max(1, this.patience);
  }

  onTrainEnd(outcome: Outcome, { trainer }: FitContext): void {
    if (!this.restores || outcome === 'aborted' || this.bestEpoch === 0) return;
    trainer.setWeights(this.weights);
    trainer.setState(this.states);
  }

  private keep(trainer: Learner): void {
    this.weights = trainer.getWeights();
    const all = trainer.getState();
    const own = trainer.description.states.filter(isOfModel);
    this.states = Object.fromEntries(own.map(({ name }) => [name, all[name]!]));
  }

  getState(): CallbackState {
    const named = (prefix: string, values: Record<string, RealArray>): [string, RealArray][] =>
      Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value]);
    return {
      best: this.monitor.best,
      bestEpoch: this.bestEpoch,
      waited: this.waited,
      ...Object.fromEntries([...named('weights', this.weights), ...named('states', this.states)]),
    };
  }

  setState(state: CallbackState): void {
    this.monitor.best = numberIn(state, 'best');
    this.bestEpoch = countIn(state, 'bestEpoch');
    this.waited = countIn(state, 'waited');
    this.weights = {};
    this.states = {};
    for (const [key, value] of Object.entries(state)) {
      if (typeof value === 'number') continue;
      const slash = key.indexOf('/');
      const target = key.slice(0, slash) === 'weights' ? this.weights : this.states;
      target[key.slice(slash + 1)] = value;
    }
  }
}
