/**
 * Stops a fit that does not get better any more (Keras's EarlyStopping). What it has stopped stays so when it is resumed,
 * unless with more patience.
 */
import type { Callback, CallbackState, EpochReport, FitContext, Learner, Outcome } from '../callback.ts';
import type { RealArray } from '../types.ts';
import { Monitor, numberFrom, type MonitorOptions } from './monitor.ts';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs in a row that may be no better; 0 by default. */
  readonly patience?: number;
  /** At the end (not when the fit is aborted), the weights and running statistics of the best epoch are put back. */
  readonly restoreBestWeights?: boolean;
}

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
    this.monitor = new Monitor(options);
    this.patience = numberFrom('patience', options.patience ?? 0, 0, true);
    this.restores = options.restoreBestWeights ?? false;
  }

  /** The best value so far; NaN before there is one. */
  get best(): number {
    return this.monitor.best;
  }

  onTrainBegin(context: FitContext): void {
    this.monitor.requireIn(context, this.name);
    if (!context.resumed) this.setState({ best: NaN, bestEpoch: 0, waited: 0 });
    // the fit may have been aborted, or its process killed, in the very epoch that was the last
    else if (this.isOutOfPatience()) context.stop();
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
    // states with a shape are the model's own
    const own = trainer.description.states.filter(({ shape }) => shape !== undefined);
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
    this.monitor.best = Number(state['best']);
    this.bestEpoch = Number(state['bestEpoch']);
    this.waited = Number(state['waited']);
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
