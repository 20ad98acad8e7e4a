/** How a fit goes: a live bar on a terminal, one plain line an epoch in a pipe. */
import { SingleBar } from 'cli-progress';
import type { BatchReport, Callback, EpochReport } from '../callback.ts';
import { numberFrom } from '../callbacks/monitor.ts';
import { checkOptionNames } from '../errors.ts';

/** A stream of Node, in words that need no types of Node. */
export interface TextStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressBarOptions {
  /** In how many epochs one line is left standing; 1 by default. The last one always is. */
  readonly every?: number;
  /** How many epochs it says there are: where a training is cut into several fits. */
  readonly epochs?: number;
  /** Where to; `process.stdout` by default. */
  readonly stream?: TextStream;
}

/** A bar that would be gone at once is not drawn. */
const PATIENCE_MILLISECONDS = 100;

export class ProgressBar implements Callback {
  readonly name = 'ProgressBar';
  private readonly every: number;
  private readonly epochs: number | undefined;
  private readonly stream: TextStream;
  private bar: SingleBar | undefined;
  private began = 0;

  constructor(options: ProgressBarOptions = {}) {
    checkOptionNames<ProgressBarOptions>(this.name, { every: true, epochs: true, stream: true }, options);
    this.every = numberFrom('every', options.every ?? 1, 1, true);
    this.epochs = options.epochs;
    this.stream = options.stream ?? process.stdout;
  }

  onTrainBegin(): void {
    this.began = performance.now();
  }

  onBatchEnd({ epoch, epochs: last, done, rows, steps, stepsPerEpoch, running }: BatchReport): void {
    if (this.stream.isTTY !== true) return;
    const [value, total] = Number.isNaN(rows) ? [steps, stepsPerEpoch ?? steps] : [done, rows];
    const place = `${epoch}/${this.epochs ?? last}`;
    const figures = figuresOf(running);
    if (this.bar === undefined) {
      if (performance.now() - this.began < PATIENCE_MILLISECONDS) return;
      this.bar = new SingleBar({
        format: 'epoch {place} |{bar}| {value}/{total}  {figures}',
        stream: this.stream as NodeJS.WritableStream,
        clearOnComplete: true,
        hideCursor: true,
      });
      this.bar.start(total, value, { place, figures });
    } else {
      this.bar.setTotal(total);
      this.bar.update(value, { place, figures });
    }
  }

  onEpochEnd({ epoch, epochs: last, results, seconds }: EpochReport): void {
    const epochs = this.epochs ?? last;
    this.close();
    this.began = performance.now();
    if (epoch % this.every !== 0 && epoch !== epochs) return;
    const place = `${String(epoch).padStart(String(epochs).length)}/${epochs}`;
    this.stream.write(`epoch ${place}  ${figuresOf(results)}  ${seconds.toFixed(2)} s\n`);
  }

  /** The bar is taken away and the cursor given back, however the fit ends. */
  close(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}

const figuresOf = (results: Readonly<Record<string, number>>): string =>
  Object.entries(results)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join('  ');
