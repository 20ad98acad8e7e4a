/** What `fit` may be told, and the checks of it: whatever is wrong is found before anything is changed. */
import type { StreamSource } from './batches.ts';
import type { BatchReport, Callback, EpochReport } from './callback.ts';
import { DataError, mustBe, positiveInteger } from './errors.ts';
import type { Results } from './engine.ts';
import type { SplitMetrics } from './evaluate-metrics.ts';
import type { Random } from './random.ts';

/** Class -> the weight of its rows; 1 for those that are not named. */
export type WeightOfClass = Readonly<Record<number, number>>;

/**
 * Changes a batch of `rows` rows in place: its arrays hold just these rows. Whatever it draws, it draws from `random`, which
 * depends on the seed and the step alone. @throws DataError where the batch is not what it is made for
 * It is not waited for, so an async function is none (an error of types).
 */
export type Augmentation = (
  batch: Readonly<Record<string, Float32Array | Float64Array | Int32Array>>,
  rows: number,
  random: Random,
) => undefined;

export interface FitOptions<Inputs, Outputs = unknown> {
  /** The number of the last epoch; the model's `train { epochs: ... }` by default. */
  readonly epochs?: number;
  /** Epochs that count as done: training begins with the one after. */
  readonly initialEpoch?: number;
  /** Goes on where the last `fit`, or the one of `setTraining`, has stopped. Data and options must be the same. */
  readonly resume?: boolean;
  /** Rows of a batch, at most the trainer's; that by default. Not for streams, whose batches are as they come. */
  readonly batchSize?: number;
  /**
   * Batches of a step: their gradients are averaged with their rows as weights, which is the gradient of one big batch where
   * the loss is a mean over rows (and penalties). Statistics of a batch (`batch_norm`) are those of each small one.
   */
  readonly accumulate?: number;
  readonly shuffle?: boolean;
  /** Streams: batches an epoch, going on from epoch to epoch and from pass to pass. Without it an epoch is a pass. */
  readonly stepsPerEpoch?: number;
  /** What loss and metrics with `val_` are computed on after every epoch. */
  readonly validationData?: Inputs | StreamSource<Inputs>;
  /** The last part of the rows, a fraction between 0 and 1, is kept for validation (taken before anything is shuffled). */
  readonly validationSplit?: number;
  /** A weight for each row, for the model's `input sample_weight[n] = 1`. */
  readonly sampleWeight?: ArrayLike<number>;
  /**
   * A weight for each class, multiplied into `sample_weight` in training: `{ 0: 1, 1: 5 }`, or with the name of the input that
   * has the classes `{ label: { 0: 1, 1: 5 } }`.
   */
  readonly classWeight?: WeightOfClass | Readonly<Record<string, WeightOfClass>>;
  /** One epoch of one batch (or so many), training and validation, to see that all of it runs. */
  readonly fastDevRun?: boolean | number;
  /** Only the first batches, so many or (below 1) this part of them, in the same order each epoch; of validation too. */
  readonly overfitBatches?: number;
  /** Metrics of all validation rows at once, reported after every epoch with `val_` before their names. */
  readonly metrics?: SplitMetrics<Inputs, Outputs>;
  /** Changes the rows of every training batch before they are used. */
  readonly augment?: Augmentation;
  readonly callbacks?: readonly Callback[];
  /** Stops after the step at hand; `fit` then returns what it has. */
  readonly signal?: AbortSignal;
  /** After each step: how many of the epoch's rows are done, and the running averages (one object, used again). */
  readonly onBatch?: (done: number, rows: number, running: Readonly<Results>, epoch: number) => void;
  readonly onEpoch?: (report: EpochReport) => void;
}

const hasProperties = (value: unknown): boolean => typeof value === 'object' && value !== null;

const isNumber = (value: unknown): value is number => typeof value === 'number';

type Rule = (name: string, value: unknown) => void;

const counted: Rule = (name, value) => void positiveInteger(name, value);
const ruleOf =
  (what: string, test: (value: unknown) => boolean): Rule =>
  (name, value) =>
    mustBe(name, what, test(value), value);
const truth = ruleOf('true or false', (value) => typeof value === 'boolean');
const callable = ruleOf('a function', (value) => typeof value === 'function');
const anObject = ruleOf('an object', hasProperties);
const anything: Rule = () => {};

const HOOKS = ['onTrainBegin', 'onEpochBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd', 'close'];

/** Own ones and those of its classes, which are not enumerable. */
const membersOf = (value: unknown): string[] =>
  hasProperties(value)
    ? [...Object.getOwnPropertyNames(value), ...membersOf(Object.getPrototypeOf(value))]
    : [];

const isHook = (member: string): boolean => HOOKS.includes(member);

/** A hook that is misspelt would never be called; members with other names are a callback's own. */
function checkCallbacks(name: string, value: unknown): void {
  mustBe(name, 'a list of callbacks', Array.isArray(value), value);
  for (const [k, callback] of value.entries()) {
    const members = membersOf(callback);
    const wrong = members.find((member) =>
      isHook(member)
        ? typeof (callback[member] ?? isHook) !== 'function'
        : /^on_?(train|epoch|batch)/i.test(member),
    );
    if (wrong || !members.some(isHook))
      throw new DataError(
        `${name}[${k}] has ${wrong ? `'${wrong}', which is no hook` : 'no hook (of a class, give `new ...`)'}; hooks are the functions ${HOOKS.join(', ')}`,
      );
  }
}

const RULES: Readonly<Record<keyof FitOptions<unknown>, Rule>> = {
  epochs: counted,
  initialEpoch: ruleOf('a whole number from 0', (value) => Number.isInteger(value) && (value as number) >= 0),
  resume: truth,
  batchSize: counted,
  accumulate: counted,
  shuffle: truth,
  stepsPerEpoch: counted,
  validationData: anything,
  validationSplit: ruleOf('between 0 and 1', (value) => isNumber(value) && value > 0 && value < 1),
  sampleWeight: anything,
  classWeight: anObject,
  fastDevRun: ruleOf(
    'true, false or a number of batches',
    (value) => typeof value === 'boolean' || (Number.isInteger(value) && (value as number) >= 1),
  ),
  overfitBatches: ruleOf(
    'a number of batches, or a part below 1',
    (value) => isNumber(value) && value > 0 && (value < 1 || Number.isInteger(value)),
  ),
  metrics: anObject,
  augment: callable,
  callbacks: checkCallbacks,
  signal: anObject,
  onBatch: callable,
  onEpoch: callable,
};

/** Pairs that say the same thing twice, or contradict each other. */
const EXCLUSIVE: readonly (readonly [keyof FitOptions<unknown>, keyof FitOptions<unknown>])[] = [
  ['validationData', 'validationSplit'],
  ['resume', 'initialEpoch'],
  ['resume', 'fastDevRun'],
  ['fastDevRun', 'overfitBatches'],
];

/** @throws DataError where an option is unknown, or is what it cannot be */
export function checkOptions(options: FitOptions<unknown>): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof FitOptions<unknown>] : undefined;
    if (rule === undefined)
      throw new DataError(`fit has no option '${name}'; its options are ${Object.keys(RULES).join(', ')}`);
    if (value !== undefined) rule(name, value);
  }
  const isGiven = (name: keyof FitOptions<unknown>): boolean =>
    options[name] !== undefined && options[name] !== false;
  for (const [one, other] of EXCLUSIVE)
    if (isGiven(one) && isGiven(other)) throw new DataError(`give ${one} or ${other}, not both`);
}

/** `onBatch` and `onEpoch` as a callback; its name leaves those of others without a name as they are. */
export const shorthand = ({ onBatch, onEpoch }: FitOptions<unknown>): Callback => ({
  name: 'fit',
  onBatchEnd: ({ done, rows, running, epoch }: BatchReport) => onBatch?.(done, rows, running, epoch),
  onEpochEnd: (report: EpochReport) => onEpoch?.(report),
});
