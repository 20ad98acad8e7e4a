/** What reports are told, and what they need of a trainer. */
import type { Learner } from '../callback.ts';
import { checkOptionNames, mustBe, type OptionNames } from '../errors.ts';

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

const OPTIONS: OptionNames<ReportOptions<unknown>> = { title: true, split: true };
const SPLIT: OptionNames<SplitOptions<unknown>> = {
  data: true,
  name: true,
  label: true,
  output: true,
  classes: true,
};

/** @throws DataError where an option is unknown, or is what it cannot be */
export function checkReportOptions(options: ReportOptions<unknown>): void {
  checkOptionNames('report', OPTIONS, options);
  const { title, split } = options;
  checkText('title', title);
  if (split === undefined) return;
  checkOptionNames('split', SPLIT, split);
  for (const name of ['name', 'label', 'output'] as const) checkText(name, split[name]);
  const { classes } = split;
  const areNames = classes === undefined || (Array.isArray(classes) && classes.every(isText));
  mustBe('classes', 'a list of names', areNames, classes);
}

const isText = (value: unknown): boolean => typeof value === 'string';

function checkText(name: string, value: unknown): void {
  mustBe(name, 'a text', value === undefined || isText(value), value);
}
