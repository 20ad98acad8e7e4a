/** From the data and the options of `fit` to what it will do: everything is checked here, and nothing changed. */
import {
  arrayBatches,
  isOwnIterator,
  isStream,
  streamBatches,
  type BatchSource,
  type StreamSource,
} from './batches.ts';
import type { Callback } from './callback.ts';
import { DataError, positiveInteger } from './errors.ts';
import { checkData, sizeOf, type Data } from './ports.ts';
import type { Engine } from './engine.ts';
import { checkSplitMetrics, type SplitMetrics } from './evaluate-metrics.ts';
import { checkOptions, shorthand, type Augmentation, type FitOptions } from './options.ts';
import { Random } from './random.ts';
import { newSession, type FitSettings, type Session } from './session.ts';
import type { RowWeighting } from './weights.ts';

export interface Plan {
  readonly source: BatchSource;
  /** What is evaluated after an epoch, made anew each time. */
  readonly validation: (() => BatchSource) | undefined;
  /** Computed on what is evaluated, which then is in arrays. */
  readonly metrics: SplitMetrics<Data, unknown> | undefined;
  /** Called when the rows of a micro-batch (the first is 0) have been staged. */
  readonly adjust: (rows: number, micro: number) => void;
  readonly epochs: number;
  readonly settings: FitSettings;
  readonly session: Session;
  readonly resumed: boolean;
  readonly callbacks: ReadonlyMap<string, Callback>;
}

/** @throws DataError */
export function planFit(engine: Engine, data: unknown, options: FitOptions<unknown>): Plan {
  engine.requireTraining();
  checkOptions(options);
  if (engine.isFitting) throw new DataError('fit is at work already: wait for it, or abort it, first');
  const { training } = engine.description;
  const devBatches = options.fastDevRun === true ? 1 : Number(options.fastDevRun ?? 0);
  const resumed = options.resume === true && engine.session !== undefined;
  const initialEpoch = options.initialEpoch ?? (resumed ? engine.session!.epoch : 0);
  const epochs = devBatches > 0 ? initialEpoch + 1 : (options.epochs ?? training.epochs);
  if (options.initialEpoch !== undefined && epochs < initialEpoch)
    throw new DataError(
      `epochs is the number of the last epoch: ${epochs} is less than initialEpoch ${initialEpoch}`,
    );
  const batchSize = positiveInteger('batchSize', options.batchSize ?? engine.program.batch);
  if (batchSize > engine.program.batch)
    throw new DataError(
      `batchSize ${batchSize} is more than this trainer's batch, ${engine.program.batch}; give createTrainer a larger batch`,
    );
  const overfit = options.overfitBatches ?? 0;
  const parts: Parts = {
    batchSize,
    accumulate: options.accumulate ?? 1,
    overfits: overfit > 0,
    shuffle: overfit === 0 && (options.shuffle ?? training.shuffle),
    limit: (batches) =>
      devBatches || (overfit >= 1 ? overfit : overfit > 0 ? atLeastOne(overfit * batches) : Infinity),
    epochs: epochs - initialEpoch,
  };
  const { source, validation, rows } = isStream(data)
    ? planStream(engine, data, options, parts)
    : planArrays(engine, data as Data, options, parts);
  const settings: FitSettings = { batchSize, accumulate: parts.accumulate, shuffle: parts.shuffle, rows };
  if (resumed) requireSameSettings(engine.session!.settings, settings);
  return {
    source,
    validation,
    metrics: checkedMetrics(engine, options, validation),
    adjust: adjustment(engine, options, parts.accumulate),
    epochs,
    settings,
    session: resumed ? engine.session! : newSession(settings, initialEpoch, engine.resultNames.length),
    resumed,
    callbacks: namedCallbacks([shorthand(options), ...(options.callbacks ?? [])], devBatches > 0),
  };
}

function checkedMetrics(
  engine: Engine,
  { metrics, validationData }: FitOptions<unknown>,
  validation: Plan['validation'],
): Plan['metrics'] {
  if (metrics === undefined) return undefined;
  if (validation === undefined || isStream(validationData))
    throw new DataError('metrics need validation data given as arrays');
  checkSplitMetrics(metrics, engine.resultNames);
  return metrics as SplitMetrics<Data, unknown>;
}

/** @throws DataError where the model has no place for weights of rows */
function weightingOf({ weighting, description }: Engine, option: string): RowWeighting {
  if (weighting !== undefined) return weighting;
  throw new DataError(
    `${option}: declare \`input sample_weight[n] = 1\` in model ${description.name} and multiply it into the loss, ` +
      `as in \`mean[n](sample_weight[n] * ...)\``,
  );
}

/** Augmentation and weights of classes, on the staged rows. */
function adjustment(
  engine: Engine,
  { augment, classWeight }: FitOptions<unknown>,
  accumulate: number,
): Plan['adjust'] {
  const weigh =
    classWeight === undefined
      ? () => {}
      : weightingOf(engine, 'classWeight').classWeighting(engine, classWeight);
  if (augment === undefined) return weigh;
  const { program, description, seed } = engine;
  const ports = description.inputs.filter(({ batched }) => batched);
  return (rows, micro) => {
    const batch = ports.map((port) => [
      port.name,
      program.inputs[port.name]!.subarray(0, rows * sizeOf(port)),
    ]);
    const stream = `augment ${engine.step}${accumulate > 1 ? ` ${micro}` : ''}`;
    augment(Object.fromEntries(batch) as Parameters<Augmentation>[0], rows, new Random(seed, stream));
    weigh(rows);
  };
}

interface Parts {
  readonly batchSize: number;
  readonly accumulate: number;
  readonly shuffle: boolean;
  /** Batches an epoch at most, of this many. */
  readonly limit: (batches: number) => number;
  /** Every epoch takes the same batches. */
  readonly overfits: boolean;
  /** Epochs to come. */
  readonly epochs: number;
}

type Sources = Pick<Plan, 'source' | 'validation'> & Pick<FitSettings, 'rows'>;

const atLeastOne = (batches: number): number => Math.max(1, Math.floor(batches));

function planArrays(engine: Engine, given: Data, options: FitOptions<unknown>, parts: Parts): Sources {
  const { sampleWeight } = options;
  const data =
    sampleWeight === undefined
      ? given
      : weightingOf(engine, 'sampleWeight').withSampleWeight(given, sampleWeight);
  const rows = checkData(engine.description.inputs, data);
  if (options.stepsPerEpoch !== undefined) throw new DataError('stepsPerEpoch is for streams');
  const { batchSize, shuffle } = parts;
  const split = options.validationSplit ?? 0;
  // 10 · (1 - 0.9) is a little less than 1
  const trained = Math.floor(rows * (1 - split) + 1e-9);
  if (trained === 0 || (split > 0 && trained === rows))
    throw new DataError(`validationSplit ${split} of ${rows} rows leaves ${trained} to train on`);
  const limit = parts.limit(Math.ceil(trained / batchSize));
  const source = arrayBatches(engine, data, [0, trained], batchSize, shuffle, limit);
  const validation =
    split > 0
      ? (): BatchSource => validationArrays(engine, data, [trained, rows], parts)
      : planValidation(engine, options.validationData, parts);
  return { source, validation, rows: source.rows! };
}

function planStream(
  engine: Engine,
  data: StreamSource<Data>,
  options: FitOptions<unknown>,
  parts: Parts,
): Sources {
  const forArrays = ['validationSplit', 'sampleWeight', 'batchSize', 'shuffle'] as const;
  for (const name of forArrays)
    if (options[name] !== undefined)
      throw new DataError(`${name} is for arrays; batches of a stream come as they are`);
  const { accumulate } = parts;
  const goesOn = options.stepsPerEpoch !== undefined;
  const all = goesOn ? options.stepsPerEpoch! * accumulate : Infinity;
  if (options.overfitBatches! < 1 && !goesOn)
    throw new DataError('of a stream, give overfitBatches as a number of batches');
  const { overfits } = parts;
  const source = streamBatches(
    engine,
    goesOn && !overfits ? data : streamOfEpoch(data, parts),
    Math.min(all, parts.limit(all)),
    // the same batches each epoch: every epoch begins the stream anew
    goesOn && !overfits,
    accumulate,
  );
  return { source, validation: planValidation(engine, options.validationData, parts), rows: null };
}

/** A stream that every epoch begins anew: where it overfits, with the first pass of a function. */
function streamOfEpoch(stream: StreamSource<Data>, { epochs, overfits }: Parts): StreamSource<Data> {
  if (epochs > 1 && isOwnIterator(stream))
    throw new DataError('an iterator serves for one epoch only; for more give a function that makes it');
  return overfits && typeof stream === 'function' ? () => stream(0) : stream;
}

function planValidation(engine: Engine, data: unknown, parts: Parts): (() => BatchSource) | undefined {
  if (data === undefined) return undefined;
  if (isStream(data)) {
    const limit = parts.limit(Infinity);
    const stream = streamOfEpoch(data, parts);
    return () => streamBatches(engine, stream, limit, false, 1);
  }
  const rows = checkData(engine.description.inputs, data as Data);
  return () => validationArrays(engine, data as Data, [0, rows], parts);
}

/** In batches of the trainer's size, as `evaluate`; a limit counts batches of the training's. */
function validationArrays(
  engine: Engine,
  data: Data,
  [from, to]: readonly [number, number],
  { batchSize, limit }: Parts,
): BatchSource {
  const greatest = limit(Math.ceil((to - from) / batchSize)) * batchSize;
  const range = [from, Math.min(to, from + greatest)] as const;
  return arrayBatches(engine, data, range, engine.program.batch, false, Infinity);
}

function requireSameSettings(before: FitSettings, now: FitSettings): void {
  for (const key of ['rows', 'batchSize', 'accumulate', 'shuffle'] as const)
    if (before[key] !== now[key])
      throw new DataError(
        `to resume, data and options must be the same: ${key} was ${String(before[key])} and is ${String(now[key])}`,
      );
}

/** Callbacks by the names that their states have in a snapshot, in the order in which they are called. */
function namedCallbacks(callbacks: readonly Callback[], isDevRun: boolean): Map<string, Callback> {
  const named = new Map<string, Callback>();
  const used = callbacks.filter(({ skipsDevRun }) => !(isDevRun && skipsDevRun));
  const isLast = ({ runsLast }: Callback): number => (runsLast === true ? 1 : 0);
  for (const callback of used.toSorted((one, other) => isLast(one) - isLast(other))) {
    const name = callback.name ?? 'callback';
    let id = name;
    for (let k = 2; named.has(id); k++) id = `${name} ${k}`;
    named.set(id, callback);
  }
  return named;
}
