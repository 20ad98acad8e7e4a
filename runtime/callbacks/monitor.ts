/** Which of two epochs is the better one, by one of the reported figures. */
import type { FitContext } from '../callback.ts';
import { DataError } from '../errors.ts';

export interface MonitorOptions {
  /** `val_loss` by default. */
  readonly monitor?: string;
  /** `min`: less is better; `max`: more. `auto`: more of accuracy, precision, recall, F1, AUC and R², less of the rest. */
  readonly mode?: 'auto' | 'min' | 'max';
  /** What counts as better must be so by more than this. */
  readonly minDelta?: number;
}

const MORE_IS_BETTER = /(?:^|_)(?:acc|accuracy|precision|recall|f1|auc|r2)(?:$|_)/;

export class Monitor {
  readonly name: string;
  /** The best so far; NaN before there is one. */
  best = NaN;
  private readonly isMax: boolean;
  private readonly minDelta: number;

  constructor({ monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorOptions) {
    if (mode !== 'auto' && mode !== 'min' && mode !== 'max')
      throw new DataError(`mode must be auto, min or max, found ${String(mode)}`);
    this.name = monitor;
    this.isMax = mode === 'max' || (mode === 'auto' && MORE_IS_BETTER.test(monitor));
    this.minDelta = Math.abs(numberFrom('minDelta', minDelta, 0));
  }

  /** @throws DataError where the fit reports no such figure */
  requireIn({ names }: FitContext, callback: string): void {
    if (names.includes(this.name)) return;
    const hint = this.name.startsWith('val_') ? '; give fit validationData or validationSplit' : '';
    throw new DataError(
      `${callback} watches '${this.name}', but this fit reports ${names.join(', ')} only${hint}`,
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

/** @throws DataError where an option of a callback is no number, or less than it may be */
export function numberFrom(name: string, value: unknown, least: number, isWhole = false): number {
  const isFit = typeof value === 'number' && value >= least && value < Infinity;
  if (isFit && (!isWhole || Number.isInteger(value))) return value;
  throw new DataError(
    `${name} must be a ${isWhole ? 'whole ' : ''}number from ${least}, found ${String(value)}`,
  );
}
