/** Watches the gradient of every parameter, and names layers in which it vanishes or explodes, and units that are dead. */
import type { BatchReport, Callback, CallbackState, FitContext } from '../callback.ts';
import { checkOptionNames, DataError, type OptionNames } from '../errors.ts';
import type { ParameterDescription, RealArray } from '../types.ts';
import { checkFunction, countIn, numberFrom } from './monitor.ts';

export interface GradientReport {
  readonly parameter: string;
  /** ‖g‖₂, the mean over the steps that were looked at. After clipping, if the model clips. */
  readonly norm: number;
  /** ‖g‖₂ / ‖w‖₂: the part of itself that a parameter would move by at rate 1. Infinite for parameters that are 0. */
  readonly ratio: number;
  /**
   * The share of units (places of the last axis) whose gradient was exactly 0 at every step that was looked at: a `relu` that is
   * never on passes no gradient to its weights and bias. (A penalty on the weights does.)
   */
  readonly dead: number;
  readonly verdict: 'fine' | 'vanishing' | 'exploding';
}

export interface GradientMonitorOptions {
  /** Looks at every so manieth step; 10 by default, beginning with the first of the epoch. */
  readonly every?: number;
  /** A matrix vanishes whose ratio is less than this part of the greatest one of the model; 1e-3 by default. */
  readonly vanishing?: number;
  /** A parameter explodes whose ratio is greater, or not finite; 100 by default. */
  readonly exploding?: number;
  /** A parameter with this share of dead units is mentioned; 0.5 by default. */
  readonly dead?: number;
  /** Takes the report of an epoch. By default what is not fine is written by `console.warn`. */
  readonly onReport?: (epoch: number, reports: readonly GradientReport[]) => void;
}

const OPTIONS: OptionNames<GradientMonitorOptions> = {
  every: true,
  vanishing: true,
  exploding: true,
  dead: true,
  onReport: true,
};

/** Before the name of a parameter: by unit, 1 where a gradient was not 0. */
const ALIVE = 'alive/';

interface Watched {
  readonly parameter: ParameterDescription;
  readonly alive: Uint8Array;
  norms: number;
}

export class GradientMonitor implements Callback {
  readonly name = 'GradientMonitor';
  /** Of the last epoch. */
  reports: readonly GradientReport[] = [];
  private readonly every: number;
  private readonly limits: { readonly vanishing: number; readonly exploding: number; readonly dead: number };
  private readonly onReport: (epoch: number, reports: readonly GradientReport[]) => void;
  private watched: Watched[] = [];
  private looks = 0;
  /** The epoch that was looked at. */
  private epoch = 0;
  /** Of a training that was stopped, until it goes on. */
  private stored: CallbackState | undefined;

  constructor(options: GradientMonitorOptions = {}) {
    checkOptionNames(this.name, OPTIONS, options);
    checkFunction('onReport', options.onReport);
    this.every = numberFrom('every', options.every ?? 10, 1, true);
    this.limits = {
      vanishing: numberFrom('vanishing', options.vanishing ?? 1e-3, 0),
      exploding: numberFrom('exploding', options.exploding ?? 100, 0),
      dead: numberFrom('dead', options.dead ?? 0.5, 0),
    };
    this.onReport = options.onReport ?? ((epoch, reports) => this.warn(epoch, reports));
  }

  onTrainBegin({ trainer, resumed, initialEpoch }: FitContext): void {
    const { stored } = this;
    this.stored = undefined;
    const trained = trainer.description.parameters.filter(({ frozen }) => !frozen);
    this.watched = trained.map((parameter) => ({
      parameter,
      alive: new Uint8Array(parameter.shape.at(-1) ?? 1),
      norms: 0,
    }));
    this.looks = 0;
    // of an epoch that has ended since, nothing is wanted any more
    if (resumed && stored !== undefined && countIn(stored, 'epoch') === initialEpoch + 1) this.goOn(stored);
  }

  onBatchEnd({ epoch, steps }: BatchReport, { trainer }: FitContext): void {
    if ((steps - 1) % this.every !== 0) return;
    const gradients = trainer.getGradients();
    this.epoch = epoch;
    this.looks++;
    for (const entry of this.watched) {
      const gradient = gradients[entry.parameter.name]!;
      entry.norms += normOf(gradient);
      const units = entry.alive.length;
      for (let i = 0; i < gradient.length; i++) if (gradient[i] !== 0) entry.alive[i % units] = 1;
    }
  }

  onEpochEnd({ epoch }: { readonly epoch: number }, { trainer }: FitContext): void {
    if (this.looks === 0) return;
    const weights = trainer.getWeights();
    const measured = this.watched.map(({ parameter, alive, norms }) => {
      const norm = norms / this.looks;
      const ratio = norm === 0 ? 0 : norm / normOf(weights[parameter.name]!);
      const dead = alive.filter((isAlive) => isAlive === 0).length / alive.length;
      return { parameter, norm, ratio, dead };
    });
    const matrices = measured.filter(({ parameter }) => parameter.shape.length > 1);
    const greatest = Math.max(0, ...matrices.map(({ ratio }) => ratio).filter(Number.isFinite));
    this.reports = measured.map(({ parameter, norm, ratio, dead }) => {
      const isMatrix = parameter.shape.length > 1;
      const explodes = !Number.isFinite(norm) || (isMatrix && ratio > this.limits.exploding);
      const vanishes = isMatrix && ratio < this.limits.vanishing * greatest;
      const verdict = explodes ? 'exploding' : vanishes ? 'vanishing' : 'fine';
      return { parameter: parameter.name, norm, ratio, dead, verdict };
    });
    for (const entry of this.watched) {
      entry.alive.fill(0);
      entry.norms = 0;
    }
    this.looks = 0;
    this.onReport(epoch, this.reports);
  }

  /** What has been seen of the epoch at work. */
  getState(): CallbackState {
    if (this.stored !== undefined) return this.stored;
    return {
      epoch: this.epoch,
      looks: this.looks,
      norms: Float64Array.from(this.watched, ({ norms }) => norms),
      ...Object.fromEntries(
        this.watched.map(({ parameter, alive }) => [ALIVE + parameter.name, Float32Array.from(alive)]),
      ),
    };
  }

  setState(state: CallbackState): void {
    countIn(state, 'epoch');
    countIn(state, 'looks');
    this.stored = state;
  }

  /** @throws DataError where it is the state of another model's training */
  private goOn(state: CallbackState): void {
    const arrayOf = (name: string, length: number): RealArray => {
      const values = state[name];
      if (typeof values === 'object' && values.length === length) return values;
      throw new DataError(`the state of a ${this.name} must have ${length} values of '${name}'`);
    };
    const norms = arrayOf('norms', this.watched.length);
    const alive = this.watched.map((entry) => arrayOf(ALIVE + entry.parameter.name, entry.alive.length));
    this.epoch = countIn(state, 'epoch');
    this.looks = countIn(state, 'looks');
    for (const [k, entry] of this.watched.entries()) {
      entry.norms = norms[k]!;
      entry.alive.set(alive[k]!);
    }
  }

  private warn(epoch: number, reports: readonly GradientReport[]): void {
    for (const { parameter, norm, ratio, dead, verdict } of reports) {
      const figures = `norm ${norm.toPrecision(3)}, ${ratio.toPrecision(3)} of the weights`;
      if (verdict !== 'fine')
        console.warn(`epoch ${epoch}: the gradient of ${parameter} is ${verdict} (${figures})`);
      if (dead >= this.limits.dead)
        console.warn(`epoch ${epoch}: ${(100 * dead).toFixed(0)} % of the units of ${parameter} are dead`);
    }
  }
}

function normOf(values: RealArray): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! * values[i]!;
  return Math.sqrt(squares);
}
