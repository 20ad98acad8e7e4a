/** What may happen in the course of `fit`. Every hook is optional; `fit` waits for one that gives a promise. */
import type { Results } from './engine.ts';
import type { ModelDescription, RealArray } from './types.ts';

/** Values by epoch: `loss`, every metric, and the same with `val_` before them where there is validation data. */
export interface History {
  readonly epochs: readonly number[];
  readonly history: Readonly<Record<string, readonly number[]>>;
}

export interface BatchReport {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps of this epoch that are done, and how many there are, where that is known. */
  readonly steps: number;
  readonly stepsPerEpoch: number | undefined;
  /** Rows of this epoch that are done, and how many there are: NaN where the data are a stream. */
  readonly done: number;
  readonly rows: number;
  /** Averages over the rows of the epoch so far. */
  readonly running: Readonly<Results>;
}

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly results: Readonly<Results>;
  readonly seconds: number;
}

/** The trainer as callbacks see it; `getTraining` takes the whole training out of it. */
export interface Learner {
  readonly description: ModelDescription;
  /** Steps of the optimizer taken so far. */
  readonly step: number;
  /**
   * Every hyper-parameter named `rate` of the train block, be it a number or a schedule, is multiplied by this (1 unless it is
   * set). Setting it throws a DataError if it is negative or not finite, or if no optimizer has such a hyper-parameter.
   */
  rateFactor: number;
  /**
   * The rates that the last step took, factor and all, by the names in `description.training.rates` (`{ adam: 0.001 }`); NaN before
   * the first one. Empty where no optimizer has a hyper-parameter named `rate`.
   */
  readonly rates: Readonly<Record<string, number>>;
  /** Copies of the parameters, by name, row by row. */
  getWeights(): Record<string, RealArray>;
  /** Copies of the gradients of the last step, by name. */
  getGradients(): Record<string, RealArray>;
  /** Sets some or all parameters. @throws DataError (unknown name, wrong length, NaN) before anything is changed */
  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void;
  /** Copies of the states by name: of the model (running statistics), the optimizer and the schedules. */
  getState(): Record<string, RealArray>;
  /** Sets some or all states. @throws DataError (unknown name, wrong length, NaN) before anything is changed */
  setState(states: Readonly<Record<string, ArrayLike<number>>>): void;
}

/** A fit, as its callbacks see it. */
export interface FitContext {
  readonly trainer: Learner;
  /** The first epoch of this run is the one after this; 0 unless it begins later or resumes. */
  readonly initialEpoch: number;
  /** The number of the last epoch. */
  readonly epochs: number;
  /** The names that reports will have: `loss`, metrics, and with `val_`. */
  readonly names: readonly string[];
  readonly history: History;
  /** It goes on where another has stopped. */
  readonly resumed: boolean;
  /** Ends the fit after the step or epoch at hand. */
  stop(): void;
}

export type Outcome = 'finished' | 'stopped' | 'aborted';

/** What a callback must remember: numbers and arrays, by name. */
export type CallbackState = Readonly<Record<string, number | RealArray>>;

export interface Callback {
  /** What its state is called in a snapshot, and messages call it. */
  readonly name?: string;
  /** It is called after those without: it wants to see what they have changed. */
  readonly runsLast?: boolean;
  /** It is left out of a `fastDevRun`: it writes files, or decides over many epochs. */
  readonly skipsDevRun?: boolean;
  /** Before the first step; a DataError thrown here leaves everything as it was. */
  onTrainBegin?(context: FitContext): void | Promise<void>;
  /** Not called again for an epoch that is resumed in its midst. */
  onEpochBegin?(epoch: number, context: FitContext): void | Promise<void>;
  /** After each step of the optimizer. The report is one object, used again. */
  onBatchEnd?(report: BatchReport, context: FitContext): void | Promise<void>;
  /** After validation. */
  onEpochEnd?(report: EpochReport, context: FitContext): void | Promise<void>;
  /** At the end, unless a callback has thrown. */
  onTrainEnd?(outcome: Outcome, context: FitContext): void | Promise<void>;
  /** At the very end, always: gives back what it holds. */
  close?(): void | Promise<void>;
  getState?(): CallbackState;
  setState?(state: CallbackState): void;
}
