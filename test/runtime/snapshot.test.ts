/** A training goes on from any step, in another trainer, as if it had never stopped. */
import { describe, expect, it } from 'vitest';
import {
  DataError,
  EarlyStopping,
  getTraining,
  ModelCheckpoint,
  ReduceLROnPlateau,
  setTraining,
  type Callback,
  type FitOptions,
  type TrainingSnapshot,
} from '../../runtime/index.ts';
import type * as runtime from '../../runtime/index.ts';
import { compile } from '../../compiler/index.ts';
import { runtimeText } from '../../compiler/cli/standalone.ts';
import { loadModule } from '../support/load.ts';
import { BUSY, moduleOf, rowsOf, slice } from './support.ts';

const data = rowsOf(14);
const validationData = rowsOf(6, 2);
const module = await moduleOf(BUSY);

type Fit = Parameters<ReturnType<typeof module.createTrainer>['fit']>;

/** A callback with a memory: the greatest loss of an epoch so far, and its weights. */
function memory(): Callback & { greatest: number } {
  let at = new Float64Array(1);
  return {
    name: 'memory',
    greatest: -Infinity,
    onEpochEnd({ results, epoch }) {
      if (results['loss']! > this.greatest) {
        this.greatest = results['loss']!;
        at = Float64Array.of(epoch);
      }
    },
    getState() {
      return { greatest: this.greatest, at };
    },
    setState(state) {
      this.greatest = state['greatest'] as number;
      at = state['at'] as Float64Array<ArrayBuffer>;
    },
  };
}

/** What is left when a fit is stopped after a step, put through JSON as a file would. */
async function stoppedAt(
  step: number,
  source: Fit[0],
  options: FitOptions<Record<string, ArrayLike<number>>>,
): Promise<TrainingSnapshot> {
  const trainer = module.createTrainer();
  const controller = new AbortController();
  if (step === 0) controller.abort();
  await trainer.fit(source, {
    ...options,
    callbacks: [memory()],
    signal: controller.signal,
    onBatch: () => {
      if (trainer.step === step) controller.abort();
    },
  });
  expect(trainer.step).toBe(step);
  const { arrays, ...rest } = getTraining(trainer);
  return { ...(JSON.parse(JSON.stringify(rest)) as typeof rest), arrays: structuredClone(arrays) };
}

const streamed: Fit[0] = (pass: number) =>
  [0, 4, 8].map((from) => slice(data, (from + pass) % 10, ((from + pass) % 10) + 4 - (pass % 2)));

describe('a fit that was stopped', () => {
  it.each<[string, Fit[0], FitOptions<Record<string, ArrayLike<number>>>]>([
    ['on arrays', data, {}],
    ['with validation', data, { validationData }],
    ['in the order of the rows', data, { shuffle: false }],
    ['over micro-batches', data, { batchSize: 3, accumulate: 2 }],
    ['on a stream', streamed, {}],
    ['on a stream, so many steps an epoch', streamed, { stepsPerEpoch: 4, accumulate: 2 }],
  ])('goes on at any step as if it had not been: %s', async (_, source, options) => {
    const whole = module.createTrainer();
    const remembered = memory();
    const history = await whole.fit(source, { ...options, callbacks: [remembered] });
    for (let step = 0; step <= whole.step; step++) {
      const snapshot = await stoppedAt(step, source, options);
      const trainer = module.createTrainer({ seed: 99 });
      setTraining(trainer, snapshot);
      const again = memory();
      const found = await trainer.fit(source, { ...options, callbacks: [again], resume: true });
      expect(found).toEqual(history);
      expect(getTraining(trainer)).toEqual(getTraining(whole));
      expect(again.greatest).toBe(remembered.greatest);
    }
  });

  it('goes on in the same trainer, too', async () => {
    const whole = module.createTrainer();
    const history = await whole.fit(data);
    const trainer = module.createTrainer();
    const controller = new AbortController();
    const stop = (): void => {
      if (trainer.step === 6) controller.abort();
    };
    await trainer.fit(data, { signal: controller.signal, onBatch: stop });
    expect(await trainer.fit(data, { resume: true })).toEqual(history);
    expect(trainer.getWeights()).toEqual(whole.getWeights());
  });

  it('that is finished does nothing more, and goes on to further epochs', async () => {
    const whole = module.createTrainer();
    await whole.fit(data, { epochs: 5 });
    const trainer = module.createTrainer();
    await trainer.fit(data);
    await trainer.fit(data, { resume: true });
    expect(trainer.step).toBe(12);
    const { epochs } = await trainer.fit(data, { resume: true, epochs: 5 });
    expect(epochs).toEqual([1, 2, 3, 4, 5]);
    expect(getTraining(trainer)).toEqual(getTraining(whole));
  });

  it.each<[string, Fit[0], FitOptions<Record<string, ArrayLike<number>>>, string]>([
    ['another number of rows', rowsOf(13), {}, 'rows was 14 and is 13'],
    ['another batch', data, { batchSize: 2 }, 'batchSize was 4 and is 2'],
    ['another order', data, { shuffle: false }, 'shuffle was true and is false'],
    ['a stream', streamed, {}, 'rows was 14 and is null'],
  ])('refuses to go on with %s', async (_, source, options, words) => {
    const trainer = module.createTrainer();
    setTraining(trainer, await stoppedAt(5, data, {}));
    const before = getTraining(trainer);
    await expect(trainer.fit(source, { ...options, resume: true })).rejects.toThrow(words);
    expect(getTraining(trainer)).toEqual(before);
  });
});

describe('a trainer with its runtime inside', () => {
  it('gives and takes snapshots, and callbacks of the package take them of it', async () => {
    const { modules } = await compile(
      { path: 'busy.dsl', text: BUSY },
      { dtype: 'f64', format: false, standalone: runtimeText() },
    );
    const alone = loadModule(modules[0]!.text);
    const own = alone as typeof alone & Pick<typeof runtime, 'getTraining' | 'setTraining'>;
    const trainer = alone.createTrainer();
    let last: TrainingSnapshot | undefined;
    const write = (_: string, snapshot: TrainingSnapshot): void => void (last = snapshot);
    await trainer.fit(data, { epochs: 1, callbacks: [new ModelCheckpoint({ path: 'x', write })] });
    expect(last).toEqual(own.getTraining(trainer));

    const later = module.createTrainer();
    setTraining(later, last!);
    expect(getTraining(later)).toEqual(last);
    own.setTraining(trainer, getTraining(later));
    for (const each of [trainer, later]) await each.fit(data, { epochs: 2, resume: true });
    expect(getTraining(trainer)).toEqual(getTraining(later));
  });
});

describe('a snapshot', () => {
  it.each([
    ['null', null],
    ['a description', module.description],
  ])('is not taken of %s, nor set there', (_, thing) => {
    expect(() => getTraining(thing as never)).toThrow(DataError);
    expect(() => setTraining(thing as never, getTraining(module.createTrainer()))).toThrow(
      'a training is that of a trainer which createTrainer has made',
    );
  });

  it('shares nothing with the trainer', async () => {
    const trainer = module.createTrainer();
    await trainer.fit(data, { epochs: 1 });
    const snapshot = getTraining(trainer);
    const copy = structuredClone(snapshot);
    await trainer.fit(data, { epochs: 1 });
    expect(snapshot).toEqual(copy);
    setTraining(trainer, snapshot);
    await trainer.fit(data, { epochs: 2, resume: true });
    expect(snapshot).toEqual(copy);
  });

  it('may be taken before any training', async () => {
    const [one, other] = [module.createTrainer(), module.createTrainer({ seed: 8 })];
    setTraining(other, getTraining(one));
    await one.fit(data);
    await other.fit(data);
    expect(getTraining(other)).toEqual(getTraining(one));
  });

  const edit = (change: (arrays: Record<string, unknown>) => void) => (snapshot: TrainingSnapshot) => {
    const arrays: Record<string, unknown> = { ...snapshot.arrays };
    change(arrays);
    return { ...snapshot, arrays };
  };
  const WHERE = "the training's position and history do not agree";
  const place = (change: object) => (snapshot: TrainingSnapshot) => ({
    ...snapshot,
    fit: { ...(snapshot.fit as object), ...change },
  });
  it.each<[string, (snapshot: TrainingSnapshot) => unknown, string]>([
    ['in the midst of no epoch', place({ rows: 4 }), WHERE],
    ['past the last row', place({ rows: 100, steps: 25 }), WHERE],
    ['between two batches', place({ rows: 6, steps: 2 }), WHERE],
    [
      'of a stream with more rows than its steps',
      place({ rows: 9, steps: 2, settings: { batchSize: 4, accumulate: 1, rows: null } }),
      WHERE,
    ],
    ['without a batch', place({ settings: {} }), WHERE],
    ['in an epoch that is beyond counting', place({ epoch: 2 ** 40 }), "the training's epoch must be"],
    [
      'after epochs that are beyond counting',
      (s: TrainingSnapshot) => ({ ...s, epoch: 2 ** 40 }),
      "the training's epoch must be",
    ],
    ['before its first epoch', place({ initialEpoch: 50 }), WHERE],
    [
      'a history of more epochs than there were',
      edit((arrays) => (arrays['history/loss'] = { shape: [1000], data: new Float64Array(1000) })),
      WHERE,
    ],
    ['nothing', () => null, 'must be an object, found null'],
    ['something else', () => ({ format: 'png' }), 'format must be chainrule training, found png'],
    ['a later version', (snapshot) => ({ ...snapshot, version: 2 }), 'version must be 1, found 2'],
    ['another model', (snapshot) => ({ ...snapshot, model: 'Other' }), 'model must be Busy, found Other'],
    ['another element type', (snapshot) => ({ ...snapshot, dtype: 'f32' }), 'dtype must be f64, found f32'],
    ['half a step', (snapshot) => ({ ...snapshot, step: 0.5 }), 'step must be a whole number, found 0.5'],
    ['an infinite factor', (snapshot) => ({ ...snapshot, rateFactor: Infinity }), 'rateFactor'],
    ['no position', (snapshot) => ({ ...snapshot, fit: 3 }), 'fit must be an object'],
    [
      'a history of words',
      (snapshot) => ({ ...snapshot, fit: { ...(snapshot.fit as object), history: [1] } }),
      'history',
    ],
    [
      'half a row',
      (snapshot) => ({ ...snapshot, fit: { ...(snapshot.fit as object), rows: -1 } }),
      'rows must be',
    ],
    [
      'no settings',
      (snapshot) => ({ ...snapshot, fit: { ...(snapshot.fit as object), settings: 1 } }),
      'settings must',
    ],
    ['callbacks', (snapshot) => ({ ...snapshot, callbacks: {} }), 'callbacks must be a list of names'],
    [
      'sums of other results',
      edit((arrays) => (arrays['running/sums'] = { shape: [9], data: new Float64Array(9) })),
      'running/sums must be [2]',
    ],
    ['a missing array', edit((arrays) => delete arrays['weights/z_W']), "no array 'weights/z_W'"],
    [
      'a wrong shape',
      edit((arrays) => (arrays['weights/z_W'] = { shape: [3, 5], data: new Float64Array(15) })),
      'weights/z_W must be [5, 3], found [3, 5]',
    ],
    [
      'a shape that lies',
      edit((arrays) => (arrays['weights/z_W'] = { shape: [5, 3], data: new Float64Array(14) })),
      'with 14 values',
    ],
    [
      'other elements',
      edit((arrays) => (arrays['weights/z_W'] = { shape: [5, 3], data: new Float32Array(15) })),
      'must be a Float64Array, found Float32Array',
    ],
    ['an array too many', edit((arrays) => (arrays['weights/y'] = arrays['weights/z_W'])), "'weights/y'"],
  ])('that is %s is refused, and nothing is changed', async (_, change, words) => {
    const trained = module.createTrainer();
    await trained.fit(data, { epochs: 1 });
    const wrong = change(getTraining(trained)) as TrainingSnapshot;
    const trainer = module.createTrainer({ seed: 5 });
    const before = getTraining(trainer);
    expect(() => setTraining(trainer, wrong)).toThrow(words);
    expect(() => setTraining(trainer, wrong)).toThrow(DataError);
    expect(getTraining(trainer)).toEqual(before);
  });

  const stateOf = (name: string, change: (state: Record<string, unknown>) => void) =>
    edit((arrays) => {
      const start = `callback/${name}/`;
      const own = Object.entries(arrays).filter(([key]) => key.startsWith(start));
      const state = Object.fromEntries(own.map(([key, value]) => [key.slice(start.length), value]));
      change(state);
      for (const [key] of own) delete arrays[key];
      for (const [key, value] of Object.entries(state)) arrays[start + key] = value;
    });
  const number = (value: number): object => ({ shape: [], data: Float64Array.of(value) });
  it.each<[string, (snapshot: TrainingSnapshot) => object, string]>([
    [
      'nothing',
      stateOf('EarlyStopping', (state) => Object.keys(state).forEach((key) => delete state[key])),
      "no number 'best'",
    ],
    [
      'no patience',
      stateOf('EarlyStopping', (state) => (state['waited'] = number(NaN))),
      "'waited' in the state of a callback must be a whole number",
    ],
    [
      'an array for a number',
      stateOf('EarlyStopping', (state) => (state['bestEpoch'] = { shape: [1], data: new Float64Array(1) })),
      "no number 'bestEpoch'",
    ],
    [
      'other weights',
      stateOf('EarlyStopping', (state) => (state['weights/z_W'] = { shape: [2], data: new Float64Array(2) })),
      'z_W',
    ],
    [
      'weights that are NaN',
      stateOf(
        'EarlyStopping',
        (state) => (state['weights/z_W'] = { shape: [15], data: new Float64Array(15).fill(NaN) }),
      ),
      'z_W',
    ],
    ['no weights', stateOf('EarlyStopping', (state) => delete state['weights/z_W']), "'z_W' is not"],
    [
      'weights too many',
      stateOf('EarlyStopping', (state) => (state['weights/y'] = state['weights/z_W'])),
      "'y'",
    ],
    [
      'half a wait',
      stateOf('ReduceLROnPlateau', (state) => (state['waited'] = number(0.5))),
      "'waited' in the state of a callback must be a whole number",
    ],
    ['no best', stateOf('ModelCheckpoint', (state) => delete state['best']), "no number 'best'"],
  ])('whose callbacks have %s goes on with none of them', async (_, change, words) => {
    const callbacks = (): Callback[] => [
      new EarlyStopping({ monitor: 'loss', restoreBestWeights: true, patience: 5 }),
      new ReduceLROnPlateau({ monitor: 'loss' }),
      new ModelCheckpoint({ path: 'x', write: () => {} }),
    ];
    const trained = module.createTrainer();
    await trained.fit(data, { epochs: 1, callbacks: callbacks() });
    const trainer = module.createTrainer();
    setTraining(trainer, change(getTraining(trained)) as TrainingSnapshot);
    const before = { ...getTraining(trainer) };
    const fit = trainer.fit(data, { resume: true, callbacks: callbacks() });
    await expect(fit).rejects.toThrow(words);
    await expect(fit).rejects.toThrow(DataError);
    expect(trainer.step).toBe(before.step);
    expect(trainer.getWeights()).toEqual(trained.getWeights());
  });
});
