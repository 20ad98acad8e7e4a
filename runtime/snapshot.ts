/** The whole of a training as plain data, and back: what a checkpoint file holds. */
import type { CallbackState } from './callback.ts';
import { DataError, nameOfType } from './data.ts';
import type { Engine } from './engine.ts';
import { callbackStates, newSession, type FitSettings, type Session } from './session.ts';
import type { RealArray, StateDescription } from './types.ts';

/** A named array of a snapshot; `shape` is what it is in the model ([] for one number). */
export interface SnapshotArray {
  readonly shape: readonly number[];
  readonly data: RealArray;
}

/** Plain JSON: strings, booleans, null and finite numbers only. Whatever may be NaN or infinite is in an array. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The whole of a training between two steps: weights, states of the model, the optimizer, the schedules and the callbacks,
 * counters, the position within the epoch, history. Copies; nothing is shared with the trainer. Everything but `arrays` is
 * JSON.
 */
export interface TrainingSnapshot {
  readonly format: 'chainrule training';
  readonly version: 1;
  /** The model's name. */
  readonly model: string;
  readonly dtype: 'f32' | 'f64';
  readonly seed: number;
  readonly step: number;
  /** Epochs finished in the trainer's life. */
  readonly epoch: number;
  readonly rateFactor: number;
  /** The position within the last fit, null if there was none. */
  readonly fit: Json;
  /** The names of the callbacks that have a state. */
  readonly callbacks: Json;
  /** `weights/NAME`, `state/NAME`, `history/NAME`, `running/sums`, `callback/NAME/...` */
  readonly arrays: Readonly<Record<string, SnapshotArray>>;
}

export function takeSnapshot(engine: Engine): TrainingSnapshot {
  const { description, session } = engine;
  const arrays: Record<string, SnapshotArray> = {};
  for (const parameter of description.parameters)
    arrays[`weights/${parameter.name}`] = {
      shape: parameter.shape,
      data: engine.parameterOf(parameter).slice(),
    };
  for (const state of description.states)
    arrays[`state/${state.name}`] = {
      shape: shapeOfState(engine, state),
      data: engine.stateOf(state).slice(),
    };
  const states = session === undefined ? new Map<string, CallbackState>() : callbackStates(session);
  if (session !== undefined) {
    arrays['running/sums'] = { shape: [session.sums.length], data: session.sums.slice() };
    for (const [name, values] of Object.entries(session.history))
      arrays[`history/${name}`] = { shape: [values.length], data: Float64Array.from(values) };
  }
  for (const [id, state] of states) {
    for (const [key, value] of Object.entries(state))
      arrays[`callback/${id}/${key}`] =
        typeof value === 'number'
          ? { shape: [], data: Float64Array.of(value) }
          : { shape: [value.length], data: value.slice() };
  }
  return {
    format: 'chainrule training',
    version: 1,
    model: description.name,
    dtype: description.dtype,
    seed: engine.seed,
    step: engine.step,
    epoch: engine.epoch,
    rateFactor: engine.rateFactor,
    fit: session === undefined ? null : positionOf(session),
    callbacks: [...states.keys()],
    arrays,
  };
}

function positionOf(session: Session): Json {
  const { settings, history, initialEpoch, epoch, rows, steps, pass, batches } = session;
  const position = { initialEpoch, epoch, rows, steps, pass, batches };
  return { settings: { ...settings }, history: Object.keys(history), ...position };
}

function shapeOfState({ description }: Engine, state: StateDescription): readonly number[] {
  if (state.scalar) return [];
  const parameter = description.parameters.find(({ name }) => name === state.parameter);
  return state.shape ?? parameter?.shape ?? [state.size];
}

/** @throws DataError before anything is changed */
export function restoreSnapshot(engine: Engine, snapshot: TrainingSnapshot): void {
  const { description } = engine;
  if (engine.isFitting) throw new DataError('a training cannot be set while fit is at work');
  const reader = new SnapshotReader(snapshot);
  reader.same('model', description.name);
  reader.same('dtype', description.dtype);
  const seed = reader.count('seed', snapshot);
  const step = reader.count('step', snapshot);
  const epoch = reader.count('epoch', snapshot);
  const { rateFactor } = snapshot;
  if (typeof rateFactor !== 'number' || !(rateFactor >= 0 && rateFactor < Infinity))
    throw new DataError(
      `the training's rateFactor must be 0 or a positive number, found ${String(rateFactor)}`,
    );
  const real = description.dtype === 'f32' ? Float32Array : Float64Array;
  const weights = description.parameters.map((parameter) =>
    reader.array(`weights/${parameter.name}`, parameter.shape, real),
  );
  const states = description.states.map((state) =>
    reader.array(`state/${state.name}`, shapeOfState(engine, state), state.scalar ? Float64Array : real),
  );
  const session = readSession(engine, snapshot.fit, reader);
  if (session !== undefined) session.stored = reader.callbacks();
  reader.requireAllRead();

  engine.reseed(seed);
  for (const [k, parameter] of description.parameters.entries())
    engine.parameterOf(parameter).set(weights[k]!);
  for (const [k, state] of description.states.entries()) engine.stateOf(state).set(states[k]!);
  engine.step = step;
  engine.epoch = epoch;
  engine.rateFactor = rateFactor;
  engine.session = session;
}

function readSession(engine: Engine, fit: Json, reader: SnapshotReader): Session | undefined {
  if (fit === null) return undefined;
  const { settings: given, history: names } = objectOf(fit, "the training's fit");
  const own = objectOf(given ?? null, "the training's settings");
  const settings: FitSettings = {
    batchSize: reader.count('batchSize', own),
    accumulate: reader.count('accumulate', own),
    shuffle: own['shuffle'] === true,
    rows: own['rows'] === null ? null : reader.count('rows', own),
  };
  const initialEpoch = reader.count('initialEpoch', fit);
  const session = newSession(settings, initialEpoch, 0);
  const sums = reader.array('running/sums', [engine.resultNames.length], Float64Array);
  const history: Record<string, number[]> = {};
  for (const name of stringsOf(names ?? null, "the training's history"))
    history[name] = [...reader.array(`history/${name}`, undefined, Float64Array)];
  return {
    ...session,
    epoch: reader.count('epoch', fit),
    rows: reader.count('rows', fit),
    steps: reader.count('steps', fit),
    pass: reader.count('pass', fit),
    batches: reader.count('batches', fit),
    sums: Float64Array.from(sums),
    history,
  };
}

/** Reads a snapshot that may be anything: each part is checked when it is asked for. */
class SnapshotReader {
  private readonly snapshot: TrainingSnapshot;
  private readonly arrays: Readonly<Record<string, SnapshotArray>>;
  private readonly read = new Set<string>();

  constructor(snapshot: TrainingSnapshot) {
    objectOf(snapshot, 'a training');
    if (snapshot.format !== 'chainrule training')
      throw new DataError(`this is no training: its format is ${String(snapshot.format)}`);
    if (snapshot.version !== 1)
      throw new DataError(
        `the training has format version ${String(snapshot.version)}, this runtime reads 1`,
      );
    objectOf(snapshot.arrays, "the training's arrays");
    this.snapshot = snapshot;
    this.arrays = snapshot.arrays;
  }

  same(key: 'model' | 'dtype', wanted: string): void {
    const found = this.snapshot[key];
    if (found !== wanted)
      throw new DataError(`the training is of ${key} ${String(found)}, this trainer of ${key} ${wanted}`);
  }

  /** A whole number from 0. */
  count(key: string, within: unknown): number {
    const value = (within as Record<string, unknown>)[key];
    if (typeof value === 'number' && Number.isSafeInteger(value) && (value >= 0 || key === 'seed'))
      return value;
    throw new DataError(`the training's ${key} must be a whole number, found ${String(value)}`);
  }

  array(
    name: string,
    shape: readonly number[] | undefined,
    type: Float32ArrayConstructor | Float64ArrayConstructor,
  ): RealArray {
    const found = Object.hasOwn(this.arrays, name) ? this.arrays[name] : undefined;
    if (found === undefined) throw new DataError(`the training has no array '${name}'`);
    const { shape: own, data } = objectOf(found, `the training's '${name}'`);
    if (!(data instanceof type))
      throw new DataError(`the training's '${name}' must be a ${type.name}, found ${nameOfType(data)}`);
    const wanted = shape ?? [data.length];
    const size = wanted.reduce((product, axis) => product * axis, 1);
    if (!Array.isArray(own) || own.join() !== wanted.join() || data.length !== size) {
      const text = Array.isArray(own) ? own.join(', ') : String(own);
      throw new DataError(
        `the training's '${name}' should have the shape [${wanted.join(', ')}], found [${text}] with ${data.length} values`,
      );
    }
    this.read.add(name);
    return data;
  }

  callbacks(): Map<string, CallbackState> {
    const ids = stringsOf(this.snapshot.callbacks, "the training's callbacks");
    const states = new Map<string, CallbackState>();
    for (const id of ids) {
      const state: Record<string, number | RealArray> = {};
      const start = `callback/${id}/`;
      for (const [name, entry] of Object.entries(this.arrays)) {
        if (!name.startsWith(start)) continue;
        const { shape, data } = objectOf(entry, `the training's '${name}'`);
        const isReal = data instanceof Float32Array || data instanceof Float64Array;
        if (!Array.isArray(shape) || !isReal)
          throw new DataError(`the training's '${name}' must be an array of real numbers`);
        const values = this.array(name, shape, data instanceof Float32Array ? Float32Array : Float64Array);
        state[name.slice(start.length)] = shape.length === 0 ? values[0]! : values.slice();
      }
      states.set(id, state);
    }
    return states;
  }

  requireAllRead(): void {
    for (const name of Object.keys(this.arrays))
      if (!this.read.has(name))
        throw new DataError(`the training has an array '${name}' that this model has not`);
  }
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DataError(`${what} must be an object, found ${nameOfType(value)}`);
  return value as Record<string, unknown>;
}

function stringsOf(value: unknown, what: string): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new DataError(`${what} must be a list of names`);
}
