/** The callbacks, each on figures that are given, and in fits of small models. */
import { describe, expect, it } from 'vitest';
import {
  CSVLogger,
  DataError,
  EarlyStopping,
  getTraining,
  GradientMonitor,
  LearningRateScheduler,
  MagnitudePruning,
  ModelCheckpoint,
  ReduceLROnPlateau,
  setTraining,
  TensorBoard,
  TerminateOnNaN,
  type Callback,
  type GradientReport,
  type TrainingSnapshot,
} from '../../runtime/index.ts';
import { BUSY, moduleOf, PLAIN, rowsOf } from './support.ts';

const data = rowsOf(20);
const validationData = rowsOf(9, 2);
const module = await moduleOf(PLAIN);
const busy = await moduleOf(BUSY);
type Trainer = ReturnType<typeof module.createTrainer>;

/** Puts other figures in the place of those that were computed, epoch by epoch; stands first in the list. */
const figures = (name: string, values: readonly number[]): Callback => ({
  onEpochEnd: ({ epoch, results }) => {
    (results as Record<string, number>)[name] = values[epoch - 1]!;
  },
});

/** How many epochs a fit goes on with these validation losses. */
async function epochsWith(values: readonly number[], callback: Callback): Promise<number> {
  const { epochs } = await module.createTrainer().fit(data, {
    epochs: values.length,
    validationData,
    callbacks: [figures('val_loss', values), callback],
  });
  return epochs.length;
}

describe('EarlyStopping', () => {
  it.each<[string, readonly number[], ConstructorParameters<typeof EarlyStopping>[0], number]>([
    ['stops when it is no better', [3, 2, 2, 1], {}, 3],
    ['waits for its patience', [3, 2, 2.5, 2.1, 1, 1, 1, 1], { patience: 3 }, 8],
    ['counts epochs in a row', [3, 2, 2.5, 1, 1.5, 1.2, 0], { patience: 2 }, 6],
    ['asks for minDelta', [3, 2.95, 2.9, 1], { patience: 2, minDelta: 0.5 }, 3],
    ['takes NaN for no better', [3, NaN, NaN, 1], { patience: 2 }, 3],
    ['wants more with mode max', [1, 2, 3, 2, 5], { mode: 'max' }, 4],
    ['is content otherwise', [5, 4, 3, 2], {}, 4],
  ])('%s', async (_, values, options, epochs) => {
    expect(await epochsWith(values, new EarlyStopping(options))).toBe(epochs);
  });

  it('knows that more accuracy is better', async () => {
    const stopping = new EarlyStopping({ monitor: 'val_accuracy' });
    const { epochs } = await module.createTrainer().fit(data, {
      epochs: 5,
      validationData,
      callbacks: [figures('val_accuracy', [0.1, 0.5, 0.4, 0.6, 0.7]), stopping],
    });
    expect(epochs).toEqual([1, 2, 3]);
    expect(stopping).toMatchObject({ best: 0.5, bestEpoch: 2 });
  });

  it('restores the weights and running statistics of the best epoch', async () => {
    const best = busy.createTrainer();
    await best.fit(data, { epochs: 2, validationData });
    const trainer = busy.createTrainer();
    const stopping = new EarlyStopping({ patience: 2, restoreBestWeights: true });
    const callbacks = [figures('val_loss', [2, 1, 3, 3, 3]), stopping];
    const { epochs } = await trainer.fit(data, { epochs: 5, validationData, callbacks });
    expect(epochs).toHaveLength(4);
    expect(trainer.getWeights()).toEqual(best.getWeights());
    expect(trainer.evaluate(validationData)).toEqual(best.evaluate(validationData));
  });

  it('begins anew with every fit, and goes on in one that is resumed', async () => {
    const values = [1, 2, 2, 2, 2, 2];
    const stopping = new EarlyStopping({ patience: 4 });
    expect(await epochsWith(values, stopping)).toBe(5);
    expect(await epochsWith(values, stopping)).toBe(5);

    const options = { epochs: 6, validationData };
    const first = module.createTrainer();
    const controller = new AbortController();
    const abort: Callback = { onEpochEnd: ({ epoch }) => (epoch === 3 ? controller.abort() : undefined) };
    await first.fit(data, {
      ...options,
      signal: controller.signal,
      callbacks: [figures('val_loss', values), new EarlyStopping({ patience: 4 }), abort],
    });
    const second = module.createTrainer();
    setTraining(second, getTraining(first));
    const { epochs } = await second.fit(data, {
      ...options,
      resume: true,
      callbacks: [figures('val_loss', values), new EarlyStopping({ patience: 4 })],
    });
    expect(epochs).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps the best weights in a snapshot', async () => {
    const make = (): EarlyStopping => new EarlyStopping({ restoreBestWeights: true, patience: 9 });
    const losses = figures('val_loss', [1, 2, 3, 4]);
    const whole = busy.createTrainer();
    await whole.fit(data, { epochs: 4, validationData, callbacks: [losses, make()] });
    const first = busy.createTrainer();
    const abort = new AbortController();
    await first.fit(data, {
      epochs: 4,
      validationData,
      callbacks: [losses, make()],
      signal: abort.signal,
      onBatch: () => (first.step === 12 ? abort.abort() : undefined),
    });
    const second = busy.createTrainer();
    setTraining(second, structuredClone(getTraining(first)));
    await second.fit(data, { epochs: 4, validationData, callbacks: [losses, make()], resume: true });
    expect(second.getWeights()).toEqual(whole.getWeights());
  });

  describe('resumed', () => {
    const losses = figures('val_loss', [2, 1, 3, 3, 3, 3]);
    const make = (patience = 2): EarlyStopping => new EarlyStopping({ patience, restoreBestWeights: true });
    const fitWith = (trainer: Trainer, callbacks: Callback[], options: object = {}) =>
      trainer.fit(data, { epochs: 6, validationData, callbacks: [losses, ...callbacks], ...options });

    it('after any step, also the one after which it stops, ends as if nothing had been', async () => {
      const whole = busy.createTrainer();
      const history = await fitWith(whole, [make()]);
      expect(history.epochs).toEqual([1, 2, 3, 4]);
      for (let step = 0; step <= whole.step; step++) {
        const first = busy.createTrainer();
        const controller = new AbortController();
        if (step === 0) controller.abort();
        const onBatch = () => (first.step === step ? controller.abort() : undefined);
        await fitWith(first, [make()], { signal: controller.signal, onBatch });
        const second = busy.createTrainer();
        setTraining(second, structuredClone(getTraining(first)));
        for (const trainer of [second, first]) {
          expect(await fitWith(trainer, [make()], { resume: true })).toEqual(history);
          expect(getTraining(trainer)).toEqual(getTraining(whole));
        }
      }
    });

    it('from the checkpoint of the epoch after which it stops ends there, too', async () => {
      const whole = busy.createTrainer();
      let last: TrainingSnapshot | undefined;
      const write = (_: string, snapshot: TrainingSnapshot): void => void (last = snapshot);
      const history = await fitWith(whole, [make(), new ModelCheckpoint({ path: 'x', write })]);
      const trainer = busy.createTrainer();
      setTraining(trainer, last!);
      expect(await fitWith(trainer, [make()], { resume: true })).toEqual(history);
      expect(trainer.getWeights()).toEqual(whole.getWeights());
    });

    it('with more patience goes on', async () => {
      const trainer = busy.createTrainer();
      await fitWith(trainer, [make()]);
      expect((await fitWith(trainer, [make(4)], { resume: true })).epochs).toHaveLength(6);
    });
  });
});

describe('what is better, with mode auto,', () => {
  /** A fit whose figure rises from epoch to epoch: the best epoch, for one callback that watches it. */
  async function bestOfRising(name: string): Promise<number> {
    const stopping = new EarlyStopping({ monitor: `val_${name}`, patience: 9 });
    let value = 0;
    const metrics = name === 'loss' || name === 'accuracy' ? {} : { [name]: () => ++value };
    const callbacks = [figures(`val_${name}`, [1, 2, 3]), stopping];
    await module.createTrainer().fit(data, { epochs: 3, validationData, metrics, callbacks });
    return stopping.bestEpoch;
  }

  it.each(
    (
      'accuracy Accuracy acc ACC binary_accuracy balancedAccuracy top5_accuracy topKAccuracy topK top_k top5 Top5 ' +
      'AUC auc aucOneVsRest roc_auc ROC_AUC f1 F1 macroF1 f1_macro f1Score fBeta precision recall recallAtK ' +
      'r2 R2 rSquared r_squared dice Dice iou IoU mIoU meanIoU mAP'
    ).split(' '),
  )('is more %s', async (name) => {
    expect(await bestOfRising(name)).toBe(3);
  });

  it.each(
    (
      'loss Loss logLoss dice_loss error errorRate top5Error meanSquaredError meanAbsoluteError rootMeanSquaredError mse MSE ' +
      'mae RMSE rmse_scaled perplexity crossEntropy cross_entropy nll'
    ).split(' '),
  )('is less %s', async (name) => {
    expect(await bestOfRising(name)).toBe(1);
  });

  it.each(
    'score racc accord lossy aucun lossOfRecall reward neg_mean_squared_error accuracyGap errorRecall m'.split(
      ' ',
    ),
  )('must be said of %s, before anything is changed', async (name) => {
    const trainer = module.createTrainer();
    const before = getTraining(trainer);
    const monitor = `val_${name}`;
    const options = { epochs: 3, validationData, metrics: { [name]: () => 1 } };
    const write = (): void => {};
    for (const make of [
      (mode: object) => new EarlyStopping({ monitor, ...mode }),
      (mode: object) => new ReduceLROnPlateau({ monitor, ...mode }),
      (mode: object) => new ModelCheckpoint({ path: 'x', write, monitor, saveBestOnly: true, ...mode }),
    ]) {
      const fit = trainer.fit(data, { ...options, callbacks: [make({})] });
      await expect(fit).rejects.toThrow(`'${monitor}', a name that does not say whether more or less`);
      await expect(fit).rejects.toThrow(DataError);
      expect(getTraining(trainer)).toEqual(before);
      await module.createTrainer().fit(data, { ...options, callbacks: [make({ mode: 'max' })] });
    }
  });
});

describe('ReduceLROnPlateau', () => {
  it.each<[string, readonly number[], ConstructorParameters<typeof ReduceLROnPlateau>[0], readonly number[]]>(
    [
      ['by its factor', [3, 3, 3, 2], { patience: 1, factor: 0.5 }, [1, 0.5, 0.25, 0.25]],
      ['after its patience', [3, 3, 3, 3, 3], { patience: 2, factor: 0.5 }, [1, 1, 0.5, 0.5, 0.25]],
      [
        'with time to cool down',
        [3, 3, 3, 3, 3, 3],
        { patience: 1, factor: 0.5, cooldown: 2 },
        [1, 0.5, 0.5, 0.25, 0.25, 0.125],
      ],
      [
        'no further than minFactor',
        [3, 3, 3, 3],
        { patience: 1, factor: 0.5, minFactor: 0.3 },
        [1, 0.5, 0.3, 0.3],
      ],
    ],
  )('turns the rate down %s', async (_, losses, options, factors) => {
    const trainer = module.createTrainer();
    const seen: number[] = [];
    await trainer.fit(data, {
      epochs: losses.length,
      validationData,
      callbacks: [figures('val_loss', losses), new ReduceLROnPlateau(options)],
      onEpoch: () => seen.push(trainer.rateFactor),
    });
    // onEpoch is called before the callbacks of the list
    expect([...seen.slice(1), trainer.rateFactor]).toEqual(factors);
  });

  it('is refused by a model without a rate', async () => {
    const rateless = await moduleOf(
      `optimizer fixed(speed = 0.1) { p' = p - speed * g }\n${PLAIN.replace('adam(rate = 1e-2)', 'fixed')}`,
    );
    const callbacks = [new ReduceLROnPlateau({ monitor: 'loss' })];
    await expect(rateless.createTrainer().fit(data, { callbacks })).rejects.toThrow(DataError);
  });
});

describe('LearningRateScheduler', () => {
  it('sets the rate of each epoch', async () => {
    const trainer = module.createTrainer();
    const seen: number[] = [];
    await trainer.fit(data, {
      epochs: 3,
      callbacks: [new LearningRateScheduler((epoch, factor) => (epoch === 2 ? 0.25 : factor / 2))],
      onEpoch: () => seen.push(trainer.rateFactor),
    });
    expect(seen).toEqual([0.5, 0.25, 0.125]);
  });

  it('stands still at 0', async () => {
    const trainer = module.createTrainer();
    const before = trainer.getWeights();
    await trainer.fit(data, { callbacks: [new LearningRateScheduler(() => 0)] });
    expect(trainer.getWeights()).toEqual(before);
  });
});

describe('options that no type has checked', () => {
  const write = (): void => {};
  it.each<[string, () => Callback, string]>([
    [
      'a name of Keras',
      () => new EarlyStopping({ restore_best_weights: true } as object),
      "EarlyStopping has no option 'restore_best_weights', did you mean 'restoreBestWeights'?; its options are monitor,",
    ],
    [
      'a name that is like none',
      () => new GradientMonitor({ threshold: 1 } as object),
      "GradientMonitor has no option 'threshold'; its options are every, vanishing, exploding, dead, onReport",
    ],
    ['a slip', () => new ReduceLROnPlateau({ patiance: 1 } as object), "did you mean 'patience'?"],
    ['a slip', () => new TerminateOnNaN({ onstop: write } as object), "did you mean 'onStop'?"],
    [
      'a slip',
      () => new MagnitudePruning({ sparsity: 0.5, initial_sparsity: 0 } as { sparsity: number }),
      "did you mean 'initialSparsity'?",
    ],
    ['a slip', () => new CSVLogger({ write, seperator: ';' } as { write: () => void }), "mean 'separator'?"],
    ['a slip', () => new TensorBoard({ write, every: 1 } as { write: () => void }), "mean 'everySteps'?"],
    [
      'a slip',
      () => new ModelCheckpoint({ path: 'x', write, saveBest: true } as never),
      "ModelCheckpoint has no option 'saveBest', did you mean 'saveBestOnly'?",
    ],
    ['no object', () => new EarlyStopping(5 as never), 'EarlyStopping takes an object with monitor,'],
    ['no truth', () => new EarlyStopping({ restoreBestWeights: 1 as never }), 'true or false, found 1'],
    ['no function', () => new GradientMonitor({ onReport: 'log' as never }), 'onReport must be a function'],
    ['nothing that writes', () => new CSVLogger({} as never), 'write must be a function, found undefined'],
    ['no name', () => new EarlyStopping({ monitor: 5 as never }), 'monitor must be a name, found 5'],
  ])('%s', (_, make, words) => {
    expect(make).toThrow(DataError);
    expect(make).toThrow(words);
  });
});

describe('TerminateOnNaN', () => {
  it('stops at the first loss that is not finite', async () => {
    const steep = await moduleOf(
      'model M {\n input x[n]\n param a ~ 1\n loss = mean[n](x[n] * exp(a))\n train { optimizer: sgd(rate = 1e6), batch: 2 }\n}',
    );
    const trainer = steep.createTrainer();
    const said: string[] = [];
    const callback = new TerminateOnNaN({ onStop: (message) => void said.push(message) });
    const { epochs } = await trainer.fit(
      { x: Array.from({ length: 20 }, () => -1) },
      { epochs: 5, callbacks: [callback] },
    );
    expect(epochs).toEqual([]);
    expect(callback.step).toBe(trainer.step);
    expect(trainer.step).toBeLessThan(10);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      new RegExp(`^the fit stops: the loss is (NaN|-?Infinity) at step ${trainer.step}, in epoch 1$`),
    );
  });
});

describe('ModelCheckpoint', () => {
  const written = async (
    options: Partial<ConstructorParameters<typeof ModelCheckpoint>[0]>,
    losses: readonly number[] = [3, 2, 4, 1],
  ): Promise<Map<string, TrainingSnapshot>> => {
    const files = new Map<string, TrainingSnapshot>();
    const write = (path: string, snapshot: TrainingSnapshot): void => void files.set(path, snapshot);
    const checkpoint = new ModelCheckpoint({ path: 'model-{epoch}', write, ...options });
    await module.createTrainer().fit(data, {
      epochs: losses.length,
      validationData,
      callbacks: [checkpoint, figures('val_loss', losses)],
    });
    return files;
  };

  it.each<[string, Parameters<typeof written>[0], readonly string[]]>([
    ['every epoch', {}, ['model-1', 'model-2', 'model-3', 'model-4']],
    ['every second epoch', { every: 2 }, ['model-2', 'model-4']],
    ['what is best', { saveBestOnly: true }, ['model-1', 'model-2', 'model-4']],
    ['under one name', { path: 'last' }, ['last']],
    ['every third step', { everySteps: 3, path: '{epoch:02d}-{step}' }, ['02-3', '03-6']],
    ['with figures', { path: '{val_loss:.1f} {epoch:03d}', every: 3 }, ['4.0 003']],
  ])('writes %s', async (_, options, names) => {
    expect([...(await written(options)).keys()]).toEqual(names);
  });

  it('writes what training goes on from, whatever callbacks stand after it', async () => {
    const whole = module.createTrainer();
    const plateau = (): ReduceLROnPlateau =>
      new ReduceLROnPlateau({ monitor: 'loss', patience: 1, minDelta: 9 });
    const files: TrainingSnapshot[] = [];
    const checkpoint = new ModelCheckpoint({ path: 'x', write: (_, snapshot) => void files.push(snapshot) });
    const history = await whole.fit(data, { epochs: 4, callbacks: [checkpoint, plateau()] });
    expect(whole.rateFactor).toBeCloseTo(1e-3, 12);
    for (const snapshot of files) {
      const trainer = module.createTrainer();
      setTraining(trainer, snapshot);
      expect(await trainer.fit(data, { epochs: 4, callbacks: [plateau()], resume: true })).toEqual(history);
      expect(trainer.getWeights()).toEqual(whole.getWeights());
    }
  });

  it('that cannot be written ends the fit with a whole state', async () => {
    const trainer = module.createTrainer();
    const write = (): Promise<void> => Promise.reject(new Error('disk full'));
    await expect(
      trainer.fit(data, { callbacks: [new ModelCheckpoint({ path: 'x', write })] }),
    ).rejects.toThrow('disk full');
    const { epochs } = await trainer.fit(data, { resume: true });
    expect(epochs).toEqual([1, 2, 3]);
  });
});

describe('CSVLogger', () => {
  it('writes a header and a line an epoch, numbers in full', async () => {
    let text = '';
    const logger = new CSVLogger({ write: (piece) => void (text += piece), separator: ';' });
    const { history } = await module
      .createTrainer()
      .fit(data, { epochs: 2, validationData, callbacks: [logger] });
    const [header, ...lines] = text.trimEnd().split('\n');
    expect(header).toBe('epoch;loss;accuracy;val_loss;val_accuracy');
    expect(lines).toHaveLength(2);
    expect(lines[1]!.split(';').map(Number)).toEqual([
      2,
      ...Object.values(history).map((values) => values[1]),
    ]);
  });
});

describe('GradientMonitor', () => {
  const reportsOf = async (text: string, options = {}): Promise<Map<string, GradientReport>> => {
    let last: readonly GradientReport[] = [];
    const monitor = new GradientMonitor({ every: 1, onReport: (_, reports) => (last = reports), ...options });
    const trainer = (await moduleOf(text)).createTrainer();
    await trainer.fit({ x: data.x }, { epochs: 1, callbacks: [monitor] });
    return new Map(last.map((report) => [report.parameter, report]));
  };
  const deep = (layers: number, start: string, activation: string): string => {
    const layer = (k: number): string[] => [
      `param W${k}[3, 3] ~ ${start}`,
      `a${k}[n, j] = ${activation}(sum[i](${k === 0 ? 'x' : `a${k - 1}`}[n, i] * W${k}[i, j]))`,
    ];
    return [
      'model Deep {',
      'input x[n, 3]',
      ...Array.from({ length: layers }, (_, k) => layer(k)).flat(),
      `loss = mean[n, j](a${layers - 1}[n, j]^2)`,
      'train { optimizer: sgd(rate = 1e-9), batch: 8 }',
      '}',
    ].join('\n');
  };

  it('measures the norm of every gradient', async () => {
    const reports = await reportsOf(
      'model M {\n input x[n, 3]\n param a[2] ~ [3, 4]\n loss = mean(x^2) + a[0] * 6 + a[1] * 8\n train { optimizer: sgd(rate = 1e-9) }\n}',
    );
    expect(reports.get('a')!.norm).toBeCloseTo(10, 6);
    expect(reports.get('a')!.ratio).toBeCloseTo(2, 6);
    expect(reports.get('a')).toMatchObject({ dead: 0, verdict: 'fine' });
  });

  it('names the layers in which the gradient vanishes', async () => {
    const reports = await reportsOf(deep(8, 'normal(0, 0.5)', 'sigmoid'));
    expect(reports.get('W0')!.verdict).toBe('vanishing');
    expect(reports.get('W7')!.verdict).toBe('fine');
  });

  it('names those in which it explodes', async () => {
    const reports = await reportsOf(deep(4, 'constant(4)', 'relu'));
    expect(reports.get('W0')!.verdict).toBe('exploding');
    expect((await reportsOf(deep(2, 'constant(0.1)', 'relu'))).get('W0')!.verdict).toBe('fine');
  });

  it('counts units that are never on', async () => {
    const reports = await reportsOf(`model M {
      input x[n, 3]
      param W[3, 4] ~ constant(0.01)
      param b[4] ~ [9, -9, 9, -9]
      param V[4, 1] ~ ones
      h[n, j] = relu(sum[i](x[n, i] * W[i, j]) + b[j])
      loss = mean[n, k](sum[j](h[n, j] * V[j, k])^2)
      train { optimizer: sgd(rate = 1e-9), batch: 8 }
    }`);
    expect(reports.get('W')!.dead).toBe(0.5);
    expect(reports.get('b')!.dead).toBe(0.5);
    expect(reports.get('V')!.dead).toBe(0);
  });
});

describe('what cannot be is refused', () => {
  it.each<[string, () => Callback, string]>([
    ['a patience', () => new EarlyStopping({ patience: 0.5 }), 'patience must be a whole number from 0'],
    ['a mode', () => new EarlyStopping({ mode: 'least' as 'min' }), 'mode must be auto, min or max'],
    ['a factor', () => new ReduceLROnPlateau({ factor: 1 }), 'factor must be less than 1'],
    ['no schedule', () => new LearningRateScheduler(3 as never), 'needs a function of the epoch'],
    ['no path', () => new ModelCheckpoint({ path: '', write: () => {} }), 'needs a path'],
    ['every none', () => new GradientMonitor({ every: 0 }), 'every must be a whole number from 1'],
    [
      'the best step',
      () => new ModelCheckpoint({ path: 'x', write: () => {}, saveBestOnly: true, everySteps: 2 }),
      'saveBestOnly or everySteps',
    ],
  ])('%s', (_, make, words) => {
    expect(make).toThrow(words);
    expect(make).toThrow(DataError);
  });

  it.each<[string, Callback, string]>([
    [
      'a figure that there is not',
      new EarlyStopping(),
      "EarlyStopping watches 'val_loss', but this fit reports",
    ],
    ['a figure of names', new ModelCheckpoint({ path: '{auc}', write: () => {} }), 'the path'],
  ])('%s, before anything is changed', async (_, callback, words) => {
    const trainer = module.createTrainer();
    const before = getTraining(trainer);
    await expect(trainer.fit(data, { callbacks: [callback] })).rejects.toThrow(words);
    expect(getTraining(trainer)).toEqual(before);
  });
});
