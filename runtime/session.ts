/** How far a `fit` has come: what it needs in order to go on at any step as if it had never stopped. */
import type { Callback, CallbackState, History } from './callback.ts';

/** What must be the same for a fit to go on where another has stopped. */
export interface FitSettings {
  readonly batchSize: number;
  readonly accumulate: number;
  readonly shuffle: boolean;
  /** Rows of an epoch; null where the data are a stream. */
  readonly rows: number | null;
}

/** A place within an epoch, between two steps. */
export interface Position {
  /** Of the epoch at work: rows and steps that are done. */
  rows: number;
  steps: number;
  /** Of a stream: which time it is gone through, from 0, and the batches taken of it this time. */
  pass: number;
  batches: number;
}

export interface Session extends Position {
  readonly settings: FitSettings;
  /** Epochs before the first one of this fit. */
  readonly initialEpoch: number;
  /** Epochs finished, counted from the first of all; the one at work is the next. */
  epoch: number;
  /** Of the epoch at work: Σ rows · result, in the order of the result names. */
  readonly sums: Float64Array;
  /** By name, one number an epoch. */
  readonly history: Record<string, number[]>;
  /** Where the states of callbacks are: in the callbacks of a fit, or as they came with a snapshot. */
  callbacks: ReadonlyMap<string, Callback>;
  stored: ReadonlyMap<string, CallbackState>;
}

export function newSession(settings: FitSettings, initialEpoch: number, results: number): Session {
  return {
    settings,
    initialEpoch,
    epoch: initialEpoch,
    rows: 0,
    steps: 0,
    pass: initialEpoch,
    batches: 0,
    sums: new Float64Array(results),
    history: {},
    callbacks: new Map(),
    stored: new Map(),
  };
}

/** The states of callbacks as they are now. */
export function callbackStates({ callbacks, stored }: Session): Map<string, CallbackState> {
  const states = new Map(stored);
  for (const [id, callback] of callbacks) {
    const state = callback.getState?.();
    if (state !== undefined) states.set(id, state);
  }
  return states;
}

/** What `fit` gives, as it stands. */
export function historyOf({ initialEpoch, epoch, history }: Session): History {
  return {
    epochs: Array.from({ length: Math.max(0, epoch - initialEpoch) }, (_, k) => initialEpoch + k + 1),
    history,
  };
}
