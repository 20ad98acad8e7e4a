/** What a generated module hands out: a compiled program with fresh parameters, to be trained, evaluated and used. */
import { stageBatch, type StreamSource } from './batches.ts';
import type { History, Learner } from './callback.ts';
import { mustBe, positiveInteger } from './errors.ts';
import type { Data } from './ports.ts';
import { Engine, type Results } from './engine.ts';
import { ENGINE, type WithEngine } from './engine-of.ts';
import { evaluate, predict } from './evaluate.ts';
import { checkSplitMetrics, computeSplitMetrics, type SplitMetrics } from './evaluate-metrics.ts';
import { loadFile, saveFile, saveReport } from '#files';
import { fit } from './fit.ts';
import type { LoadOptions, LoadReport } from './loading.ts';
import { checkedValues, namedCopies } from './named.ts';
import type { FitOptions } from './options.ts';
import type { ReportOptions } from './report/options.ts';
import type { CompiledModel } from './types.ts';

export interface TrainerOptions {
  /** Rows of a step, at most; the model's `train { batch: ... }` by default. */
  readonly batch?: number;
  /** Decides initial weights, shuffling and all draws; the model's by default. */
  readonly seed?: number;
}

export interface EvaluateOptions<Inputs, Outputs> {
  /** Functions of the outputs and the data of all rows, by the names of their results. */
  readonly metrics?: SplitMetrics<Inputs, Outputs>;
}

export interface Trainer<Inputs, Outputs> extends Learner {
  /**
   * Trains for `epochs` passes over the data: arrays, or a stream of batches. The last batch of an epoch may be smaller.
   * Gives way to the event loop about twenty times a second.
   * @throws DataError before anything is changed; what a stream or a callback throws, after a whole step
   */
  fit(data: Inputs | StreamSource<Inputs>, options?: FitOptions<Inputs, Outputs>): Promise<History>;
  /**
   * The loss and metrics of the model as it is used (`training` is 0); changes nothing. They are computed batch by batch
   * and averaged with the batches' rows as weights: exact for means over rows; what is no mean of rows (a sum, a maximum, a
   * root of a mean) depends on the size of the batch. `metrics` are computed on all rows at once. @throws DataError
   */
  evaluate(data: Inputs, options?: EvaluateOptions<Inputs, Outputs>): Results;
  /**
   * The outputs for every row, in new arrays, computed batch by batch: an output that looks at other rows sees those of
   * its batch. Inputs that no output needs may be left out. @throws DataError
   */
  predict(data: Partial<Inputs>): Outputs;
  /**
   * One step on at most `batch` rows: forward, backward, update. The result holds the loss and metrics from before
   * the update; it is one object, used again at the next call. @throws DataError before anything is changed
   */
  trainOnBatch(data: Inputs): Readonly<Results>;
  /** Forward and backward without an update; read the result by `getGradients`. @throws DataError */
  gradientsOnBatch(data: Inputs): Readonly<Results>;
  /**
   * Writes the weights (parameters and running statistics) to a `.npz`, `.safetensors` or `.npy` file, or the whole training
   * to a `.ckpt` file. In Node; in a page, see `chainrule/formats`. @throws DataError; an old file then stays
   */
  save(file: string | URL): Promise<void>;
  /**
   * Reads what `save` writes. Weights of other names or shapes are an error, unless `options` say otherwise; a `.ckpt` is
   * loaded whole. @throws DataError before anything is changed
   */
  load(file: string | URL, options?: LoadOptions): Promise<LoadReport>;
  /**
   * Writes the last `fit` as one HTML page: curves, the classes of a split, the model. In Node; in a page, see `reportOf` of
   * `chainrule/report`. @throws DataError; an old file then stays
   */
  report(file: string | URL, options?: ReportOptions<Inputs>): Promise<void>;
}

/** Wraps a compiled model. Generated modules call it; see their `createTrainer`. */
export function makeTrainer<Inputs, Outputs>(
  compiled: CompiledModel,
  options: TrainerOptions = {},
): Trainer<Inputs, Outputs> {
  const { training } = compiled.description;
  const batch = positiveInteger('batch', options.batch ?? training.batch);
  const seed = options.seed ?? training.seed;
  mustBe('seed', 'a whole number', Number.isInteger(seed), seed);
  return trainerOf<Inputs, Outputs>(new Engine(compiled, batch, seed));
}

function trainerOf<Inputs, Outputs>(engine: Engine): Trainer<Inputs, Outputs> {
  const { description, resultNames } = engine;
  /** One object, used again. */
  const results: Results = {};
  const currentResults = (): Readonly<Results> => {
    for (let k = 0; k < resultNames.length; k++) results[resultNames[k]!] = engine.program.results[k]!;
    return results;
  };
  const trainer: Trainer<Inputs, Outputs> & WithEngine = {
    description,

    get [ENGINE]() {
      return engine;
    },

    get step() {
      return engine.step;
    },

    get rateFactor() {
      return engine.rateFactor;
    },

    set rateFactor(factor) {
      mustBe('rateFactor', '0 or a positive number', Number.isFinite(factor) && factor >= 0, factor);
      engine.requireRate();
      engine.rateFactor = factor;
    },

    get rates() {
      return Object.fromEntries(
        description.training.rates.map((name, k) => [name, engine.program.rates[k]!]),
      );
    },

    fit: (data, options = {}) => fit(engine, trainer, data, options as FitOptions<unknown>),

    evaluate(data, { metrics } = {}) {
      if (metrics === undefined) return evaluate(engine, data as Data);
      checkSplitMetrics(metrics, resultNames);
      const own = evaluate(engine, data as Data);
      return { ...own, ...computeSplitMetrics(metrics, trainer.predict(data), data) };
    },

    predict: (data) => predict(engine, data as Data) as Outputs,

    trainOnBatch(data) {
      engine.requireTraining();
      engine.stepOnStaged(stageBatch(engine, data as Data));
      return currentResults();
    },

    gradientsOnBatch(data) {
      const rows = stageBatch(engine, data as Data);
      engine.pass('forward', rows, 0);
      engine.program.backward(rows);
      return currentResults();
    },

    getWeights: () => namedCopies(engine.program.parameters, description.parameters),

    getGradients() {
      const trained = description.parameters.filter((parameter) => !parameter.frozen);
      return namedCopies(engine.program.gradients, trained);
    },

    getState: () =>
      Object.fromEntries(description.states.map((state) => [state.name, engine.stateOf(state).slice()])),

    setWeights(weights) {
      for (const { entry, values } of checkedValues('parameter', description.parameters, weights))
        engine.parameterOf(entry).set(values);
    },

    setState(states) {
      for (const { entry, values } of checkedValues('state', description.states, states))
        engine.stateOf(entry).set(values);
    },

    save: (file) => saveFile(trainer, file),
    load: (file, options) => loadFile(trainer, file, options),
    report: (file, options) => saveReport(trainer, file, options),
  };
  return trainer;
}
