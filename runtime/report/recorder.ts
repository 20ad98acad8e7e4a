/** Notes by epoch what a report shows and the history has not: the factor of the rate, and the norms of gradients. */
import type { BatchReport, Callback, CallbackState, EpochReport, FitContext } from '../callback.ts';
import { GradientMonitor } from '../callbacks/gradient-monitor.ts';
import type { TrainingSnapshot } from '../snapshot.ts';

const NAME = 'ReportRecorder';
const NORM = 'norm/';

export interface Recording {
  readonly epochs: readonly number[];
  readonly rateFactors: readonly number[];
  /** By parameter, in the order of the model: ‖g‖₂, the mean over the steps that were looked at. */
  readonly norms: ReadonlyMap<string, readonly number[]>;
}

/**
 * A callback of `fit` for `trainer.report`. What it notes is part of the snapshots of the training, so that it outlives a stop.
 * It looks at the gradients of every tenth step (`every`), after the other callbacks.
 */
export class ReportRecorder implements Callback {
  readonly name = NAME;
  readonly runsLast = true;
  private readonly monitor: GradientMonitor;
  private columns = new Map<string, number[]>();

  constructor({ every = 10 }: { readonly every?: number } = {}) {
    this.monitor = new GradientMonitor({
      every,
      onReport: (_epoch, reports) => {
        for (const { parameter, norm } of reports) this.note(NORM + parameter, norm);
      },
    });
  }

  onTrainBegin(context: FitContext): void {
    if (!context.resumed) this.columns.clear();
    this.monitor.onTrainBegin(context);
  }

  onBatchEnd(report: BatchReport, context: FitContext): void {
    this.monitor.onBatchEnd(report, context);
  }

  onEpochEnd(report: EpochReport, context: FitContext): void {
    this.note('epoch', report.epoch);
    this.note('rateFactor', context.trainer.rateFactor);
    this.monitor.onEpochEnd(report, context);
  }

  getState(): CallbackState {
    return Object.fromEntries([...this.columns].map(([name, values]) => [name, Float64Array.from(values)]));
  }

  setState(state: CallbackState): void {
    this.columns = new Map(
      Object.entries(state).flatMap(([name, values]) =>
        typeof values === 'number' ? [] : [[name, [...values]]],
      ),
    );
  }

  private note(name: string, value: number): void {
    const values = this.columns.get(name);
    if (values === undefined) this.columns.set(name, [value]);
    else values.push(value);
  }
}

/** What a `ReportRecorder` has noted of a training. */
export function recordingIn({ arrays }: TrainingSnapshot): Recording | undefined {
  const start = `callback/${NAME}/`;
  const columns = new Map(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(start))
      .map(([name, { data }]) => [name.slice(start.length), [...data]]),
  );
  const epochs = columns.get('epoch');
  if (epochs === undefined) return undefined;
  const norms = [...columns].flatMap(([name, values]): [string, number[]][] =>
    name.startsWith(NORM) ? [[name.slice(NORM.length), values]] : [],
  );
  return { epochs, rateFactors: columns.get('rateFactor') ?? [], norms: new Map(norms) };
}
