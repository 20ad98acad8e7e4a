/** What reports are told, and what they need of a trainer. */
import type { Learner } from '../callback.ts';

export interface SplitOptions<Inputs> {
  /** What the confusion matrix is of: data that were not trained on. */
  readonly data: Inputs;
  /** What they are called; 'test' by default. */
  readonly name?: string;
  /** The input with the true classes, where there are several. */
  readonly label?: string;
  /** The output with a number for each class, or with one probability; needed where there are several. */
  readonly output?: string;
  /** Names of the classes, from 0. */
  readonly classes?: readonly string[];
}

export interface ReportOptions<Inputs> {
  /** 'Training of MODEL' by default. */
  readonly title?: string;
  /** What the confusion matrix and the last numbers are of. */
  readonly split?: SplitOptions<Inputs>;
}

/** What a report needs of a trainer. */
export interface ReportSource<Inputs> extends Learner {
  evaluate(data: Inputs): Readonly<Record<string, number>>;
  predict(data: Partial<Inputs>): unknown;
}
