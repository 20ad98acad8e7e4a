/** A line of comma-separated values an epoch (Keras's CSVLogger). */
import type { Callback, EpochReport, FitContext } from '../callback.ts';
import { checkOptionNames, mustBe, type OptionNames } from '../errors.ts';
import { truthFrom } from './monitor.ts';

export interface CSVLoggerOptions {
  /** Takes a piece of text, whole lines; `fit` waits for it. */
  readonly write: (text: string) => void | Promise<void>;
  readonly separator?: string;
  /** What is there stays, and has its header. So it is when a fit is resumed. */
  readonly append?: boolean;
}

const OPTIONS: OptionNames<CSVLoggerOptions> = { write: true, separator: true, append: true };

/** Columns: `epoch` and the figures that the fit reports. Numbers are written in full. */
export class CSVLogger implements Callback {
  readonly name = 'CSVLogger';
  readonly skipsDevRun = true;
  private readonly options: CSVLoggerOptions;
  private readonly separator: string;
  private names: readonly string[] = [];

  constructor(options: CSVLoggerOptions) {
    checkOptionNames(this.name, OPTIONS, options);
    const { write, separator = ',', append } = options;
    mustBe('write', 'a function', typeof write === 'function', write);
    mustBe('separator', 'a text', typeof separator === 'string', separator);
    truthFrom('append', append);
    this.options = options;
    this.separator = separator;
  }

  async onTrainBegin({ names, resumed, initialEpoch }: FitContext): Promise<void> {
    this.names = names;
    if (this.beginsAnew(resumed, initialEpoch)) await this.line(['epoch', ...names]);
  }

  /** Whether a header is to be written. */
  protected beginsAnew(resumed: boolean, _initialEpoch: number): boolean {
    return !resumed && this.options.append !== true;
  }

  async onEpochEnd({ epoch, results }: EpochReport): Promise<void> {
    await this.line([epoch, ...this.names.map((name) => results[name] ?? '')]);
  }

  private async line(cells: readonly (string | number)[]): Promise<void> {
    await this.options.write(`${cells.join(this.separator)}\n`);
  }
}
