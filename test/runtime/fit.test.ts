/** `fit`: what of the data it takes, in which order, with which weights, and what it refuses. */
import { describe, expect, it } from 'vitest';
import {
  DataError,
  EarlyStopping,
  getTraining,
  setTraining,
  type Callback,
  type FitOptions,
} from '../../runtime/index.ts';
import { moduleOf, PLAIN, rowsOf, slice } from './support.ts';

const module = await moduleOf(PLAIN);
/** Without draws and clipping. */
const quiet = await moduleOf(PLAIN.replace(' |> dropout(0.3)', '').replace(', clip_norm: 1', ''));
const data = rowsOf(23);
const other = rowsOf(7, 2);
type Trainer = ReturnType<typeof module.createTrainer>;
type Options = FitOptions<Record<string, ArrayLike<number>>>;

/** The weights after a fit, in one list. */
async function weightsAfter(source: Parameters<Trainer['fit']>[0], options: Options = {}): Promise<number[]> {
  const trainer = module.createTrainer();
  await trainer.fit(source, options);
  return Object.values(trainer.getWeights()).flatMap((values) => [...values]);
}

function expectClose(found: readonly number[], wanted: readonly number[], tolerance = 1e-12): void {
  expect(found).toHaveLength(wanted.length);
  const distance = Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)));
  expect(distance).toBeLessThan(tolerance);
}

/** Batches of rows in their order. */
function* batches(size: number, rows = 23): Generator<ReturnType<typeof rowsOf>> {
  for (let from = 0; from < rows; from += size) yield slice(data, from, Math.min(from + size, rows));
}

describe('a step over micro-batches', () => {
  // 23 rows in steps of 12: the last step has 11, and the last micro-batch is smaller again
  it.each([
    [1, 12],
    [2, 6],
    [3, 4],
    [4, 3],
    [12, 1],
  ])('%i times %i rows is the step of 12, draws and all', async (accumulate, batchSize) => {
    expectClose(await weightsAfter(data, { accumulate, batchSize }), await weightsAfter(data));
  });

  it('reports the loss of the whole step', async () => {
    const losses = async (options: Options): Promise<readonly number[]> =>
      (await module.createTrainer().fit(data, options)).history['loss']!;
    expectClose(await losses({ accumulate: 4, batchSize: 3 }), await losses({}));
  });

  it('counts as one step', async () => {
    const trainer = module.createTrainer();
    const seen: number[] = [];
    await trainer.fit(data, { epochs: 1, batchSize: 4, accumulate: 2, onBatch: (done) => seen.push(done) });
    expect(seen).toEqual([8, 16, 23]);
    expect(trainer.step).toBe(3);
  });

  it('of a stream, too', async () => {
    expectClose(
      await weightsAfter(() => batches(4), { accumulate: 3 }),
      await weightsAfter(data, { shuffle: false }),
    );
  });
});

describe('epochs', () => {
  /** Which rows an epoch takes, one after another: known by their gradients, as the weights stand still. */
  const orders = async (options: Options): Promise<Map<number, string[]>> => {
    const trainer = quiet.createTrainer();
    trainer.rateFactor = 0;
    const seen = new Map<number, string[]>();
    const onBatch: Options['onBatch'] = (_done, _rows, _running, epoch) => {
      const row = trainer.getGradients()['z_b']!.join();
      seen.set(epoch, [...(seen.get(epoch) ?? []), row]);
    };
    await trainer.fit(data, { batchSize: 1, onBatch, ...options });
    return seen;
  };

  it('take every row once, each in an order of its own', async () => {
    const seen = await orders({ epochs: 3 });
    const sorted = [...seen.values()].map((rows) => rows.toSorted());
    expect(new Set(sorted[0]).size).toBe(23);
    expect(sorted[1]).toEqual(sorted[0]);
    expect(new Set([...seen.values()].map((rows) => rows.join(' '))).size).toBe(3);
  });

  it('are counted to `epochs` from `initialEpoch`, each in the order that its number has', async () => {
    const all = await orders({ epochs: 4 });
    const late = await orders({ epochs: 4, initialEpoch: 2 });
    expect([...late.keys()]).toEqual([3, 4]);
    expect(late.get(3)).toEqual(all.get(3));
    expect(late.get(4)).toEqual(all.get(4));
  });
});

describe('validation', () => {
  it('with validationSplit takes the last rows, before anything is shuffled', async () => {
    const options = { epochs: 2 };
    const split = await module.createTrainer().fit(data, { ...options, validationSplit: 0.3 });
    const rows = Math.floor(23 * 0.7);
    const apart = await module
      .createTrainer()
      .fit(slice(data, 0, rows), { ...options, validationData: slice(data, rows, 23) });
    expect(split).toEqual(apart);
    expect(Object.keys(split.history)).toEqual(['loss', 'accuracy', 'val_loss', 'val_accuracy']);
  });

  it.each([
    [0.9, 10, 1],
    [0.8, 10, 2],
    [0.7, 10, 3],
    [0.1, 10, 9],
    [0.3, 23, 16],
  ])('with validationSplit %d of %d rows leaves %d to train on', async (validationSplit, rows, left) => {
    let trained = 0;
    const onBatch = (_: number, all: number): void => void (trained = all);
    await module.createTrainer().fit(slice(data, 0, rows), { epochs: 1, validationSplit, onBatch });
    expect(trained).toBe(left);
  });

  it('gives what evaluate gives', async () => {
    const trainer = module.createTrainer();
    const { history } = await trainer.fit(data, { epochs: 1, validationData: other });
    const { loss, accuracy } = trainer.evaluate(other);
    expect(history['val_loss']).toEqual([loss]);
    expect(history['val_accuracy']).toEqual([accuracy]);
  });

  it('may come as a stream', async () => {
    const stream = (): Generator =>
      (function* () {
        yield slice(other, 0, 4);
        yield slice(other, 4, 7);
      })();
    const { history } = await module.createTrainer().fit(data, { validationData: stream as never });
    const whole = await module.createTrainer().fit(data, { validationData: other });
    expectClose(history['val_loss']!, whole.history['val_loss']!);
  });
});

describe('metrics of all validation rows', () => {
  const metrics = {
    spread: ({ p }: { p?: ArrayLike<number> }, { label }: { label?: ArrayLike<number> }): number =>
      Math.max(...Array.from(label!, (k, row) => p![3 * row + k]!)) + 10 * label!.length,
  };

  it('are given their outputs and data, and reported with val_', async () => {
    const trainer = module.createTrainer();
    const { history } = await trainer.fit(data, { epochs: 1, validationData: other, metrics });
    expect(Object.keys(history)).toEqual(['loss', 'accuracy', 'val_loss', 'val_accuracy', 'val_spread']);
    const { p } = trainer.predict({ x: other.x });
    const wanted = Math.max(...Array.from(other.label, (k, row) => p![3 * row + k]!)) + 70;
    expect(history['val_spread']).toEqual([wanted]);
    expect(trainer.evaluate(other, { metrics })).toMatchObject({ spread: wanted });
  });

  it('are given the rows of a split, from typed and plain arrays', async () => {
    const plain = { x: [...data.x], label: [...data.label] };
    const fits = [data, plain].map((source) =>
      module.createTrainer().fit(source, { epochs: 2, validationSplit: 0.3, metrics }),
    );
    const [typed, listed] = await Promise.all(fits);
    expect(listed).toEqual(typed);
    expect(typed!.history['val_spread']!.map(Math.floor)).toEqual([70, 70]);
  });

  it.each<[string, Options, string]>([
    ['without validation', { metrics: { a: () => 1 } }, 'metrics need validation data'],
    ['on a stream', { metrics: { a: () => 1 }, validationData: [other] }, 'given as arrays'],
    ['with a name that is taken', { metrics: { loss: () => 1 }, validationData: other }, "a result 'loss'"],
  ])('are refused %s', async (_, options, words) => {
    await expect(module.createTrainer().fit(data, options)).rejects.toThrow(words);
  });
});

describe('augmentation', () => {
  it('changes the rows of training batches, by draws that depend on seed and step alone', async () => {
    const seen: string[] = [];
    const augment: NonNullable<Options['augment']> = (batch, rows, random) => {
      seen.push(`${Object.keys(batch).join()} ${batch['x']!.length / 3} ${rows}`);
      for (let i = 0; i < batch['x']!.length; i++) batch['x']![i]! += random.normal();
    };
    const once = await weightsAfter(data, { augment, epochs: 1 });
    expect(seen).toEqual(['x,label,sample_weight 12 12', 'x,label,sample_weight 11 11']);
    expect(await weightsAfter(data, { augment, epochs: 1 })).toEqual(once);
    expect(await weightsAfter(data, { epochs: 1 })).not.toEqual(once);

    const stopped = module.createTrainer();
    const controller = new AbortController();
    const signal = controller.signal;
    await stopped.fit(data, { augment, signal, onBatch: () => controller.abort() });
    const resumed = module.createTrainer({ seed: 9 });
    setTraining(resumed, getTraining(stopped));
    await resumed.fit(data, { augment, resume: true, epochs: 1 });
    expect(Object.values(resumed.getWeights()).flatMap((values) => [...values])).toEqual(once);
  });
});

describe('a stream of batches', () => {
  it('trains as the arrays do, batch by batch', async () => {
    const wanted = await weightsAfter(data, { shuffle: false, batchSize: 5 });
    async function* slow(): AsyncGenerator<ReturnType<typeof rowsOf>> {
      for (const batch of batches(5)) {
        await Promise.resolve();
        yield batch;
      }
    }
    expect(await weightsAfter(() => batches(5))).toEqual(wanted);
    expect(await weightsAfter([...batches(5)])).toEqual(wanted);
    expect(await weightsAfter(slow)).toEqual(wanted);
  });

  it('goes on from epoch to epoch with stepsPerEpoch, and begins anew at its end', async () => {
    const passes: number[] = [];
    const seen: number[] = [];
    const make = (pass: number): Iterable<ReturnType<typeof rowsOf>> => {
      passes.push(pass);
      return batches(5);
    };
    const trainer = module.createTrainer();
    await trainer.fit(make, { epochs: 3, stepsPerEpoch: 4, onBatch: (done) => seen.push(done) });
    expect(passes).toEqual([0, 1, 2]);
    expect(seen).toEqual([5, 10, 15, 20, 3, 8, 13, 18, 5, 8, 13, 18]);
    expect(trainer.step).toBe(12);
  });

  it('of a generator serves as long as it lasts', async () => {
    const trainer = module.createTrainer();
    await trainer.fit(batches(5), { epochs: 1 });
    expect(trainer.step).toBe(5);
    await expect(trainer.fit(batches(5), { epochs: 2 })).rejects.toThrow('one epoch only');
    await expect(trainer.fit(batches(5), { epochs: 2, stepsPerEpoch: 4 })).rejects.toThrow(
      'the data ended after 5 batches',
    );
    expect(trainer.step).toBe(10);
  });

  it('is told when it is left before its end', async () => {
    let isClosed = false;
    const make = function* () {
      try {
        yield* batches(5);
      } finally {
        isClosed = true;
      }
    };
    const controller = new AbortController();
    await module.createTrainer().fit(make, { signal: controller.signal, onBatch: () => controller.abort() });
    expect(isClosed).toBe(true);
  });

  it.each<[string, Options, readonly string[]]>([
    ['overfitBatches', { epochs: 2, overfitBatches: 2 }, ['opened', 'left', 'opened', 'left']],
    ['fastDevRun', { fastDevRun: true }, ['opened', 'left']],
    ['stepsPerEpoch', { epochs: 3, stepsPerEpoch: 2 }, ['opened', 'ended', 'opened', 'left']],
    ['no limit', { epochs: 2 }, ['opened', 'ended', 'opened', 'ended']],
  ])('is told, once, when an epoch leaves it before its end, with %s', async (_, options, events) => {
    const seen: string[] = [];
    const make = (): Iterable<ReturnType<typeof rowsOf>> => ({
      [Symbol.iterator]() {
        seen.push('opened');
        const rows = batches(5);
        return {
          next() {
            const item = rows.next();
            if (item.done) seen.push('ended');
            return item;
          },
          return(value) {
            seen.push('left');
            return { done: true, value };
          },
        };
      },
    });
    await module.createTrainer().fit(make, options);
    expect(seen).toEqual(events);
  });

  it('that cannot be left ends the fit with a whole state, from which training goes on', async () => {
    const options = { epochs: 2, overfitBatches: 2 };
    const wanted = await weightsAfter(() => batches(5), options);
    const trainer = module.createTrainer();
    const fail = (): void => {
      throw new Error('broken');
    };
    const broken = function* () {
      try {
        yield* batches(5);
      } finally {
        fail();
      }
    };
    await expect(trainer.fit(broken, options)).rejects.toThrow('broken');
    await trainer.fit(() => batches(5), { ...options, resume: true });
    expect(Object.values(trainer.getWeights()).flatMap((values) => [...values])).toEqual(wanted);
  });

  it('that holds a wrong batch leaves the steps before it', async () => {
    const trainer = module.createTrainer();
    const good = module.createTrainer();
    await good.fit([slice(data, 0, 5)], { epochs: 1 });
    const stream = [slice(data, 0, 5), { ...slice(data, 5, 10), x: [NaN] }];
    await expect(trainer.fit(stream, { epochs: 1 })).rejects.toThrow(DataError);
    expect(trainer.getWeights()).toEqual(good.getWeights());
    await expect(trainer.fit([data], { epochs: 1 })).rejects.toThrow('at most 12 rows here, found 23');
    await expect(trainer.fit([], { epochs: 1 })).rejects.toThrow('the data ended after 0 batches');
    await trainer.fit(data, { epochs: 1 });
  });
});

describe('weights of rows', () => {
  const doubled = {
    x: [...data.x, ...data.x.slice(0, 9)],
    label: [...data.label, ...data.label.slice(0, 3)],
  };
  const sampleWeight = Array.from(data.label, (_, row) => (row < 3 ? 2 : 1));
  const gradient = async (source: Record<string, ArrayLike<number>>, options: Options): Promise<number[]> => {
    const trainer = quiet.createTrainer({ batch: 100 });
    await trainer.fit(source, { ...options, epochs: 1, shuffle: false });
    return [...trainer.getGradients()['z_b']!];
  };

  it('are sums: a row of weight 2 counts as if it were there twice', async () => {
    const twice = await gradient(doubled, {});
    const weighted = await gradient(data, { sampleWeight });
    expectClose(
      weighted,
      twice.map((value) => (value * 26) / 23),
    );
  });

  it('are 1 where nothing is said', async () => {
    expect(await gradient(data, {})).toEqual(await gradient(data, { sampleWeight: data.label.map(() => 1) }));
  });

  it('of classes are those of their rows', async () => {
    const wanted = await gradient(data, {
      sampleWeight: Array.from(data.label, (label) => [1, 0.5, 3][label]!),
    });
    expect(await gradient(data, { classWeight: { 1: 0.5, 2: 3 } })).toEqual(wanted);
    expect(await gradient(data, { classWeight: { label: { 1: 0.5, 2: 3 } } })).toEqual(wanted);
  });

  it('of classes and rows are multiplied', async () => {
    const both = sampleWeight.map((weight, row) => weight * (data.label[row] === 2 ? 3 : 1));
    expect(await gradient(data, { sampleWeight, classWeight: { 2: 3 } })).toEqual(
      await gradient(data, { sampleWeight: both }),
    );
  });

  it('of classes weight a stream, too, and not the validation', async () => {
    const stream = await weightsAfter(() => batches(5), { classWeight: { 2: 3 } });
    expect(stream).toEqual(await weightsAfter(data, { classWeight: { 2: 3 }, batchSize: 5, shuffle: false }));
    const trainer = module.createTrainer();
    const { history } = await trainer.fit(data, { epochs: 1, classWeight: { 2: 3 }, validationData: other });
    expect(history['val_loss']).toEqual([trainer.evaluate(other)['loss']]);
  });

  it('follow their rows through shuffling, splits and micro-batches', async () => {
    const given = { ...data, sample_weight: sampleWeight };
    const options: Options = { validationSplit: 0.2, batchSize: 4, accumulate: 2 };
    expect(await weightsAfter(data, { ...options, sampleWeight })).toEqual(
      await weightsAfter(given, options),
    );
  });

  it('need a model that says where they enter', async () => {
    const plain = await moduleOf(
      PLAIN.replace('input sample_weight[n] = 1', '').replace('sample_weight[n] * ', ''),
    );
    for (const options of [{ sampleWeight }, { classWeight: { 1: 2 } }])
      await expect(plain.createTrainer().fit(data, options)).rejects.toThrow(
        'declare `input sample_weight[n] = 1` in model Plain',
      );
  });
});

describe('trying out', () => {
  const steps = async (options: Options): Promise<{ steps: number; epochs: number; order: number[] }> => {
    const trainer = module.createTrainer();
    const order: number[] = [];
    const { epochs } = await trainer.fit(data, {
      batchSize: 4,
      onBatch: (done) => order.push(done),
      ...options,
    });
    return { steps: trainer.step, epochs: epochs.length, order };
  };

  it('fastDevRun takes one epoch of one batch, or of so many', async () => {
    expect(await steps({ fastDevRun: true, epochs: 10 })).toEqual({ steps: 1, epochs: 1, order: [4] });
    expect(await steps({ fastDevRun: 3 })).toEqual({ steps: 3, epochs: 1, order: [4, 8, 12] });
    expect(await steps({ fastDevRun: false, epochs: 2 })).toMatchObject({ steps: 12, epochs: 2 });
  });

  it('fastDevRun leaves out callbacks that write or decide over epochs', async () => {
    const called: string[] = [];
    const callback = (name: string, skipsDevRun: boolean): Callback => ({
      skipsDevRun,
      onEpochEnd: () => void called.push(name),
    });
    await steps({ fastDevRun: true, callbacks: [callback('writes', true), callback('looks', false)] });
    expect(called).toEqual(['looks']);
  });

  it('overfitBatches takes the same batches, in their order, every epoch', async () => {
    const few = await weightsAfter(data, { overfitBatches: 2, batchSize: 4 });
    expect(few).toEqual(await weightsAfter(slice(data, 0, 8), { batchSize: 4, shuffle: false }));
    expect(await weightsAfter(data, { overfitBatches: 0.34, batchSize: 4 })).toEqual(few);
    expect(await weightsAfter(() => batches(4), { overfitBatches: 2 })).toEqual(few);
  });

  it('overfitBatches takes the first pass of a stream every time, of validation too', async () => {
    const passes: string[] = [];
    const make = (name: string) => (pass: number) => {
      passes.push(`${name} ${pass}`);
      return [slice(data, pass, pass + 4), slice(data, pass + 4, pass + 8)];
    };
    const options = { epochs: 4, initialEpoch: 2, overfitBatches: 1 };
    const trainer = module.createTrainer();
    await trainer.fit(make('training'), { ...options, validationData: make('validation') as never });
    expect(passes).toEqual(['training 0', 'validation 0', 'training 0', 'validation 0']);
  });

  it('overfitBatches takes as many of the validation', async () => {
    const trainer = module.createTrainer();
    const { history } = await trainer.fit(data, {
      epochs: 1,
      overfitBatches: 1,
      batchSize: 4,
      validationData: other,
    });
    expect(history['val_loss']).toEqual([trainer.evaluate(slice(other, 0, 4))['loss']]);
  });
});

describe('what cannot be is refused before anything is changed', () => {
  const bad = (options: object): Options => options as Options;
  it.each<[string, Options, string | RegExp]>([
    ['an unknown option', bad({ epoch: 3 }), "fit has no option 'epoch'; its options are epochs,"],
    ['epochs', { epochs: 0 }, 'epochs must be a whole number from 1'],
    ['an initial epoch', { initialEpoch: -1 }, 'initialEpoch must be a whole number from 0'],
    ['the last epoch before the first', { initialEpoch: 5, epochs: 4 }, '4 is less than initialEpoch 5'],
    ['a batch', { batchSize: 13 }, "more than this trainer's batch, 12"],
    ['half a batch', { batchSize: 0.5 }, 'batchSize must be'],
    ['no micro-batch', { accumulate: 0 }, 'accumulate must be'],
    ['a whole split', { validationSplit: 1 }, 'validationSplit must be between 0 and 1'],
    ['a split that leaves nothing', { validationSplit: 0.99 }, 'leaves 0 to train on'],
    ['a split that takes nothing', { validationSplit: 1e-17 }, 'leaves 23 to train on'],
    ['two validations', { validationSplit: 0.5, validationData: data }, 'not both'],
    ['a beginning and a resumption', { resume: true, initialEpoch: 1 }, 'not both'],
    ['steps of arrays', { stepsPerEpoch: 3 }, 'stepsPerEpoch is for streams'],
    ['few weights', { sampleWeight: [1, 2] }, "input 'sample_weight' [rows] has 2 rows"],
    ['weights twice', bad({ sampleWeight: 3 }), 'sampleWeight must be an array'],
    ['a class', { classWeight: { 3: 1 } }, "input 'label' has the classes 0 to 2, not 3"],
    ['a weight of a class', { classWeight: { 1: -1 } }, 'classWeight of class 1 must be'],
    ['no class', { classWeight: {} }, 'classWeight names no class; give weights'],
    ['an input of classes', { classWeight: { x: { 1: 1 } } }, "the model's are 'label'"],
    ['a number of batches', { fastDevRun: 0 }, 'fastDevRun must be'],
    ['a part of the batches', { overfitBatches: 1.5 }, 'overfitBatches must be'],
    ['callbacks', bad({ callbacks: 3 }), 'callbacks must be a list of callbacks, found 3'],
    [
      'a class for a callback',
      bad({ callbacks: [EarlyStopping] }),
      'callbacks[0] has no hook (of a class, give `new ...`); hooks are',
    ],
    ['a callback without a hook', bad({ callbacks: [{ name: 'mine' }] }), 'callbacks[0] has no hook'],
    [
      'a list in the list of callbacks',
      bad({ callbacks: [new EarlyStopping(), [new EarlyStopping()]] }),
      'callbacks[1] has no hook',
    ],
    [
      'a hook that is misspelt',
      bad({ callbacks: [{ onEpochEnd() {}, onEpochEnds() {} }] }),
      "callbacks[0] has 'onEpochEnds', which is no hook; hooks are the functions onTrainBegin, onEpochBegin,",
    ],
    [
      'a hook of a class that is misspelt',
      bad({
        callbacks: [
          new (class extends EarlyStopping {
            on_epoch_end(): void {}
          })(),
        ],
      }),
      "callbacks[0] has 'on_epoch_end', which is no hook",
    ],
    [
      'a hook that is no function',
      bad({ callbacks: [{ onEpochEnd: 5 }] }),
      "has 'onEpochEnd', which is no hook",
    ],
    ['validation data', { validationData: { x: [1] } }, 'input'],
  ])('%s', async (_, options, words) => {
    const trainer = module.createTrainer();
    const before = getTraining(trainer);
    await expect(trainer.fit(data, options)).rejects.toThrow(words);
    await expect(trainer.fit(data, options)).rejects.toBeInstanceOf(DataError);
    expect(getTraining(trainer)).toEqual(before);
  });

  it.each<[string, Options, string]>([
    ['a split', { validationSplit: 0.5 }, 'validationSplit is for arrays'],
    ['weights', { sampleWeight: [1] }, 'sampleWeight is for arrays'],
    ['a batch', { batchSize: 3 }, 'batchSize is for arrays'],
    ['a fraction', { overfitBatches: 0.5 }, 'as a number of batches'],
  ])('of a stream: %s', async (_, options, words) => {
    await expect(module.createTrainer().fit(() => batches(5), options)).rejects.toThrow(words);
  });

  it('a second fit beside the first', async () => {
    const trainer = module.createTrainer();
    const first = trainer.fit(data);
    await expect(trainer.fit(data)).rejects.toThrow('fit is at work already');
    expect(() => setTraining(trainer, getTraining(trainer))).toThrow('while fit is at work');
    await first;
    await trainer.fit(data);
  });

  it('data whose inputs are all left out', async () => {
    const lonely = await moduleOf('model M {\n input w[n] = 2\n output y[n] = 3 * w[n]\n}');
    expect(() => lonely.createTrainer().predict({})).toThrow('nothing says how many rows there are');
    expect([...lonely.createTrainer().predict({ w: [1, 5] })['y']!]).toEqual([3, 15]);
  });
});

describe('callbacks', () => {
  it('are called in the course of a fit, those that run last after the others', async () => {
    const called: string[] = [];
    const make = (name: string, more: Partial<Callback> = {}): Callback => ({
      onTrainBegin: () => void called.push(`${name} begins`),
      onEpochBegin: (epoch) => void called.push(`${name} epoch ${epoch}`),
      onBatchEnd: ({ steps, stepsPerEpoch }) => void called.push(`${name} ${steps}/${stepsPerEpoch}`),
      onEpochEnd: ({ epoch }) => void called.push(`${name} epoch ${epoch} ends`),
      onTrainEnd: (outcome) => void called.push(`${name} ${outcome}`),
      close: () => void called.push(`${name} closes`),
      ...more,
    });
    await module
      .createTrainer()
      .fit(data, { epochs: 1, callbacks: [make('late', { runsLast: true }), make('early')] });
    const both = (text: string): string[] => [`early ${text}`, `late ${text}`];
    expect(called).toEqual(
      ['begins', 'epoch 1', '1/2', '2/2', 'epoch 1 ends', 'finished', 'closes'].flatMap(both),
    );
  });

  it('may be slow: fit waits for them', async () => {
    const trainer = module.createTrainer();
    const seen: number[] = [];
    const onBatchEnd = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push(trainer.step);
    };
    await trainer.fit(data, { epochs: 2, callbacks: [{ onBatchEnd }] });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('that stop the fit leave the epoch unfinished, to be resumed', async () => {
    const trainer = module.createTrainer();
    const outcomes: string[] = [];
    const { epochs } = await trainer.fit(data, {
      callbacks: [
        {
          onBatchEnd: (_, context) => {
            if (trainer.step === 3) context.stop();
          },
          onTrainEnd: (outcome) => void outcomes.push(outcome),
        },
      ],
    });
    expect(epochs).toEqual([1]);
    expect(outcomes).toEqual(['stopped']);
    await trainer.fit(data, { resume: true });
    expect(Object.values(trainer.getWeights()).flatMap((values) => [...values])).toEqual(
      await weightsAfter(data),
    );
  });

  it.each(['onBatchEnd', 'onEpochEnd', 'onEpochBegin'] as const)(
    'that throw in %s leave a whole state, from which training goes on',
    async (hook) => {
      const whole = module.createTrainer();
      await whole.fit(data);
      const trainer = module.createTrainer();
      let closed = 0;
      const broken: Callback = {
        [hook]: () => {
          if (trainer.step >= 2) throw new Error('broken');
        },
        close: () => void closed++,
      };
      await expect(trainer.fit(data, { callbacks: [broken] })).rejects.toThrow('broken');
      expect(closed).toBe(1);
      await trainer.fit(data, { resume: true });
      expect(getTraining(trainer)).toEqual(getTraining(whole));
    },
  );

  it('are all closed, whichever of them fails, and the first error is the one of the fit', async () => {
    const closed: string[] = [];
    const make = (name: string, more: Callback = {}): Callback => ({
      close: () => {
        closed.push(name);
        throw new Error(`${name} cannot be closed`);
      },
      ...more,
    });
    const stream = function* () {
      try {
        yield* batches(5);
      } finally {
        closed.push('stream');
      }
    };
    const broken = (): void => {
      throw new Error('broken');
    };
    const callbacks = [make('one', { onBatchEnd: broken }), make('other')];
    const trainer = module.createTrainer();
    await expect(trainer.fit(stream, { callbacks })).rejects.toThrow('broken');
    expect(closed).toEqual(['stream', 'one', 'other']);
    const fit = trainer.fit(data, { epochs: 1, callbacks: [make('third'), make('fourth')] });
    await expect(fit).rejects.toThrow('third cannot be closed');
    expect(closed.slice(3)).toEqual(['third', 'fourth']);
    await trainer.fit(data, { epochs: 1 });
  });

  it('that refuse to begin leave everything as it was', async () => {
    const trainer = module.createTrainer();
    await trainer.fit(data, { epochs: 1 });
    const before = getTraining(trainer);
    const refuse = (): void => {
      throw new DataError('no');
    };
    await expect(
      trainer.fit(data, { initialEpoch: 2, callbacks: [{ onTrainBegin: refuse }] }),
    ).rejects.toThrow('no');
    expect(getTraining(trainer)).toEqual(before);
  });
});

describe('the rate factor', () => {
  it('scales every step', async () => {
    const sgd = await moduleOf(PLAIN.replace('adam(rate = 1e-2)', 'sgd(rate = exponential(0.1, 0.5))'));
    const moved = (factor: number): number => {
      const trainer = sgd.createTrainer({ batch: 100 });
      const before = trainer.getWeights()['z_b']![0]!;
      trainer.rateFactor = factor;
      trainer.trainOnBatch(data);
      return trainer.getWeights()['z_b']![0]! - before;
    };
    expect(moved(1)).not.toBe(0);
    expect(moved(0.5)).toBeCloseTo(moved(1) / 2, 14);
    expect(moved(0)).toBe(0);
  });

  it('must be a number from 0, of a model that has a rate', async () => {
    const trainer = module.createTrainer();
    for (const factor of [-1, NaN, Infinity, '2' as unknown as number])
      expect(() => (trainer.rateFactor = factor)).toThrow(DataError);
    expect(trainer.rateFactor).toBe(1);
    const rateless = await moduleOf(
      `optimizer fixed(speed = 0.1) { p' = p - speed * g }\n${PLAIN.replace('adam(rate = 1e-2)', 'fixed')}`,
    );
    expect(() => (rateless.createTrainer().rateFactor = 0.5)).toThrow('has a hyper-parameter named rate');
  });
});
