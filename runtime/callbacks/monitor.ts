/** Which of two epochs is the better one, by one of the reported figures. */
import type { CallbackState, FitContext } from '../callback.ts';
import { DataError, mustBe, type OptionNames } from '../errors.ts';

export interface MonitorOptions {
  /** `val_loss` by default. */
  readonly monitor?: string;
  /**
   * `min`: less is better; `max`: more. `auto`: more of accuracy, precision, recall, F1, AUC, R² and their like, less of losses
   * and errors, by the words of the name (`val_macroF1`, `val_top5_accuracy`). A name that does not tell needs a mode.
   */
  readonly mode?: 'auto' | 'min' | 'max';
  /** What counts as better must be so by more than this. */
  readonly minDelta?: number;
}

export const MONITOR_OPTIONS: OptionNames<MonitorOptions> = { monitor: true, mode: true, minDelta: true };

const wordsOf = (pattern: string): RegExp => new RegExp(`\\b(?:${pattern})\\b`);
const MORE_IS_BETTER = wordsOf(
  'acc|accuracy|precision|recall|sensitivity|specificity|f ?\\d+|f ?beta|f\\d*score|top ?(?:k|n|\\d+)|auc|auroc|roc|auprc|m ap|' +
    'r ?2|r ?squared?|dice|(?:m ?)?io ?u|jaccard|kappa|mcc|ndcg|mrr|psnr|ssim|bleu|rouge',
);
const LESS_IS_BETTER = wordsOf(
  'loss|losses|log ?loss|error|errors|err|mse|msle|rmse|rmsle|mae|mape|smape|deviance|cross ?entropy|nll|perplexity|ppl|' +
    'divergence|kl|brier|hinge|huber|wer|cer|ece',
);
/** `dice_loss`, `top5Error`: the last word says what it is. */
const IS_A_LOSS = /\b(?:loss|error)$/;
/** With these a name means the contrary, or a change of it. */
const TURNED = wordsOf(
  'neg|negative|negated|minus|inverse|inverted|complement|drop|gap|change|reduction|gain',
);

/** Whether more of a figure is better, as its name says; undefined where it does not. */
function isMoreBetter(name: string): boolean | undefined {
  const words = name
    .replaceAll(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ')
    .replaceAll(/[^A-Za-z\d]+/g, ' ')
    .trim()
    .toLowerCase();
  if (TURNED.test(words)) return undefined;
  if (IS_A_LOSS.test(words)) return false;
  const isMore = MORE_IS_BETTER.test(words);
  return isMore === LESS_IS_BETTER.test(words) ? undefined : isMore;
}

export class Monitor {
  readonly name: string;
  /** The best so far; NaN before there is one. */
  best = NaN;
  private readonly isMax: boolean | undefined;
  private readonly minDelta: number;

  constructor({ monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorOptions) {
    if (mode !== 'auto' && mode !== 'min' && mode !== 'max')
      throw new DataError(`mode must be auto, min or max, found ${String(mode)}`);
    mustBe('monitor', 'a name', typeof monitor === 'string', monitor);
    this.name = monitor;
    this.isMax = mode === 'auto' ? isMoreBetter(monitor) : mode === 'max';
    this.minDelta = Math.abs(numberFrom('minDelta', minDelta, 0));
  }

  /** @throws DataError where the fit reports no such figure, or nobody knows whether more of it is better */
  requireIn({ names }: FitContext, callback: string): void {
    if (!names.includes(this.name)) {
      const hint = this.name.startsWith('val_') ? '; give fit validationData or validationSplit' : '';
      throw new DataError(
        `${callback} watches '${this.name}', but this fit reports ${names.join(', ')} only${hint}`,
      );
    }
    if (this.isMax === undefined)
      throw new DataError(
        `${callback} watches '${this.name}', a name that does not say whether more or less of it is better: ` +
          `give it mode: 'max' or mode: 'min'`,
      );
  }

  /** Whether this is the best so far, which it then is from now on. NaN never is. */
  improves(value: number): boolean {
    const gain = this.isMax ? value - this.best : this.best - value;
    const isBetter = Number.isNaN(this.best) ? !Number.isNaN(value) : gain > this.minDelta;
    if (isBetter) this.best = value;
    return isBetter;
  }
}

/** The number that the state of a callback, which may have come from anywhere, has by this name. @throws DataError */
export function numberIn(state: CallbackState, name: string): number {
  const value = state[name];
  if (typeof value === 'number') return value;
  throw new DataError(`the state of a callback has no number '${name}': it is not its own`);
}

/** A whole number from 0. @throws DataError */
export const countIn = (state: CallbackState, name: string): number =>
  numberFrom(`'${name}' in the state of a callback`, numberIn(state, name), 0, true);

/** True or false, false where nothing is said. @throws DataError */
export function truthFrom(name: string, value: unknown): boolean {
  mustBe(name, 'true or false', value === undefined || typeof value === 'boolean', value);
  return value === true;
}

/** @throws DataError where an option that was given is no function */
export function checkFunction(name: string, value: unknown): void {
  mustBe(name, 'a function', value === undefined || typeof value === 'function', value);
}

/** @throws DataError where an option of a callback is no number, or less than it may be */
export function numberFrom(name: string, value: unknown, least: number, isWhole = false): number {
  const isFit = typeof value === 'number' && value >= least && value < Infinity;
  if (isFit && (!isWhole || Number.isInteger(value))) return value;
  throw new DataError(
    `${name} must be a ${isWhole ? 'whole ' : ''}number from ${least}, found ${typeof value === 'string' ? `'${value}'` : String(value)}`,
  );
}
