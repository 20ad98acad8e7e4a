/** The whole of a training as plain data, and back: what a checkpoint file holds. */
import type { CallbackState, Learner } from './callback.ts';
import { DataError, GREATEST_COUNT, mustBe } from './errors.ts';
import { engineOf } from './engine-of.ts';
import { nameOfType } from './ports.ts';
import type { Engine } from './engine.ts';
import { callbackStates, newSession, type FitSettings, type Session } from './session.ts';
import type { RealArray } from './types.ts';

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

/**
 * A copy of the whole training between two steps: also while `fit` is at work (a callback gives its `context.trainer`), and
 * after it was stopped. @throws DataError where this is no trainer
 */
export function getTraining(trainer: Learner): TrainingSnapshot {
  const engine = engineOf(trainer);
  const { description, session } = engine;
  const arrays: Record<string, SnapshotArray> = {};
  for (const [name, { shape, data }] of placesOf(engine)) arrays[name] = { shape, data: data.slice() };
  const states = session ? callbackStates(session) : new Map<string, CallbackState>();
  if (session) {
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
    fit: session ? positionOf(session) : null,
    callbacks: [...states.keys()],
    arrays,
  };
}

const POSITION = ['initialEpoch', 'epoch', 'rows', 'steps', 'pass', 'batches'] as const;

function positionOf(session: Session): Json {
  const { settings, history } = session;
  const position = Object.fromEntries(POSITION.map((key) => [key, session[key]]));
  return { settings: { ...settings }, history: Object.keys(history), ...position };
}

/** The weights and states of a trainer, in place, by the names that they have in a snapshot. */
function placesOf(engine: Engine): [string, SnapshotArray][] {
  const { parameters, states } = engine.description;
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  return [
    ...parameters.map((parameter): [string, SnapshotArray] => [
      `weights/${parameter.name}`,
      { shape: parameter.shape, data: engine.parameterOf(parameter) },
    ]),
    ...states.map((state): [string, SnapshotArray] => {
      const { scalar, shape = shapes.get(state.parameter ?? '') ?? [state.size] } = state;
      return [`state/${state.name}`, { shape: scalar ? [] : shape, data: engine.stateOf(state) }];
    }),
  ];
}

/**
 * Makes the training of a trainer the one of the snapshot, seed and all; `fit` with `resume` then goes on as if it had never
 * stopped. @throws DataError (another model, missing or wrong arrays, a fit at work) before anything is changed
 */
export function setTraining(trainer: Learner, snapshot: TrainingSnapshot): void {
  const engine = engineOf(trainer);
  if (engine.isFitting) throw new DataError('a training cannot be set while fit is at work');
  // what a snapshot must have is what one of this trainer has
  const own = getTraining(trainer);
  const given = objectOf(snapshot, 'training');
  for (const key of ['format', 'version', 'model', 'dtype'] as const)
    check(key, own[key], given[key] === own[key], given[key]);
  const { seed, step, epoch } = countsOf(given, ['seed', 'step', 'epoch']);
  const { rateFactor, fit } = snapshot;
  check('rateFactor', '0 or a positive number', Number.isFinite(rateFactor) && rateFactor >= 0, rateFactor);

  const arrays = objectOf(snapshot.arrays, 'arrays') as Readonly<Record<string, SnapshotArray>>;
  for (const [name, wanted] of Object.entries(own.arrays))
    if (isOfModel(name)) checkArray(arrays, name, wanted);
  const callbacks = namesOf(snapshot.callbacks, 'callbacks');
  for (const name of Object.keys(arrays)) {
    const isKnown = isOfModel(name) ? name in own.arrays : /^(?:history|running|callback)\//.test(name);
    if (!isKnown) throw new DataError(`the training has an array '${name}' that this model has not`);
    checkArray(arrays, name);
  }
  const session = fit === null ? undefined : sessionOf(engine, objectOf(fit, 'fit'), arrays);
  if (session !== undefined) session.stored = statesOfCallbacks(callbacks, arrays);

  engine.reseed(seed);
  for (const [name, { data }] of placesOf(engine)) data.set(arrays[name]!.data);
  Object.assign(engine, { step, epoch, rateFactor, session });
}

const isOfModel = (name: string): boolean => /^(?:weights|state)\//.test(name);

function sessionOf(
  engine: Engine,
  fit: Readonly<Record<string, unknown>>,
  arrays: Readonly<Record<string, SnapshotArray>>,
): Session {
  const settings = objectOf(fit['settings'], 'settings');
  const position = countsOf(fit, POSITION);
  const history = namesOf(fit['history'], 'history').map((name): [string, number[]] => [
    name,
    [...checkArray(arrays, `history/${name}`)],
  ]);
  const { initialEpoch, epoch, rows, steps } = position;
  const session = newSession(
    settings as Partial<FitSettings> as FitSettings,
    initialEpoch,
    engine.resultNames.length,
  );
  const { sums } = session;
  sums.set(checkArray(arrays, 'running/sums', { shape: [sums.length], data: sums }));
  const { batchSize, accumulate, rows: all } = session.settings;
  // figures that came to a fit later have shorter histories; of a stream nobody knows how full its batches were
  const epochs = Math.max(0, ...history.map(([, values]) => values.length));
  if (epoch - initialEpoch !== epochs || rows !== Math.min(steps * batchSize * accumulate, all ?? rows))
    throw new DataError("the training's position and history do not agree");
  return Object.assign(session, position, { history: Object.fromEntries(history) });
}

function statesOfCallbacks(
  ids: readonly string[],
  arrays: Readonly<Record<string, SnapshotArray>>,
): Map<string, CallbackState> {
  const stateOf = (id: string): CallbackState => {
    const start = `callback/${id}/`;
    const entries = Object.entries(arrays).filter(([name]) => name.startsWith(start));
    return Object.fromEntries(
      entries.map(([name, { shape, data }]) => [
        name.slice(start.length),
        shape.length === 0 ? data[0]! : data.slice(),
      ]),
    );
  };
  return new Map(ids.map((id) => [id, stateOf(id)]));
}

// ------------------------------------------------------------------------------- a snapshot may be anything: its checks

function check(what: string, wanted: unknown, isSo: boolean, found: unknown): asserts isSo {
  mustBe(`the training's ${what}`, String(wanted), isSo, found);
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  check(what, 'an object', typeof value === 'object' && value !== null, value);
  return value as Readonly<Record<string, unknown>>;
}

/** Whole numbers by name. */
function countsOf<Key extends string>(
  from: Readonly<Record<string, unknown>>,
  keys: readonly Key[],
): Record<Key, number> {
  for (const key of keys) {
    const value = from[key];
    // epochs are counted up to what `fit` takes
    const most = /poch/.test(key) ? GREATEST_COUNT : Infinity;
    const isCount =
      Number.isSafeInteger(value) &&
      (key === 'seed' || ((value as number) >= 0 && (value as number) <= most));
    check(key, 'a whole number', isCount, value);
  }
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Record<Key, number>;
}

function namesOf(value: unknown, what: string): string[] {
  check(
    what,
    'a list of names',
    Array.isArray(value) && value.every((item) => typeof item === 'string'),
    value,
  );
  return value as string[];
}

/** An array that is like the one wanted, or has whatever shape it says. */
function checkArray(
  arrays: Readonly<Record<string, SnapshotArray>>,
  name: string,
  wanted?: SnapshotArray,
): RealArray {
  if (!Object.hasOwn(arrays, name)) throw new DataError(`the training has no array '${name}'`);
  const { shape, data } = objectOf(arrays[name], name);
  const type = wanted?.data.constructor ?? (data instanceof Float32Array ? Float32Array : Float64Array);
  const { name: wantedType } = type as Float64ArrayConstructor;
  check(name, `a ${wantedType}`, data instanceof (type as Float64ArrayConstructor), nameOfType(data));
  const axes: readonly number[] = Array.isArray(shape) ? shape : [NaN];
  const fits = axes.reduce((product, axis) => product * axis, 1) === data.length;
  const shown = axes.join(', ');
  const expected = wanted?.shape.join(', ') ?? shown;
  check(name, `[${expected}]`, fits && expected === shown, `[${shown}] with ${data.length} values`);
  return data;
}
