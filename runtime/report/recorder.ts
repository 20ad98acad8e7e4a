/** Notes by epoch what a report shows and the history has not: the rates of learning, and the norms of gradients. */
import type { BatchReport, Callback, CallbackState, EpochReport, FitContext } from '../callback.ts';
import { GradientMonitor } from '../callbacks/gradient-monitor.ts';
import { checkOptionNames, DataError } from '../errors.ts';
import type { TrainingSnapshot } from '../snapshot.ts';
import type { ModelDescription } from '../types.ts';

const NAME = 'ReportRecorder';
const EPOCH = 'epoch';
/** With the place of the rate in the description: a name may have characters that files do not bear. */
const RATE = 'rate/';
const NORM = 'norm/';
/** By epoch, 1 where gradients were looked at: a norm that is not finite then was so, else nobody knows. */
const SEEN = 'seen';
/** Of the epoch at work: what the monitor has seen of it. */
const UNFINISHED = 'unfinished/';

export interface Recording {
  readonly epochs: readonly number[];
  /** By the names of the description: the rate of the last step of the epoch; NaN where nobody has seen it. */
  readonly rates: ReadonlyMap<string, readonly number[]>;
  /** By parameter, in the order of the model: ‖g‖₂, the mean over the steps that were looked at. */
  readonly norms: ReadonlyMap<string, readonly number[]>;
  /** By epoch: there were such steps. */
  readonly seen: readonly boolean[];
}

export interface ReportRecorderOptions {
  /** Looks at the gradients of every so manieth step; 10 by default, beginning with the first of the epoch. */
  readonly every?: number;
}

/**
 * A callback of `fit` for `trainer.report`. What it notes is part of the snapshots of the training, so that it outlives a stop.
 * What it has seen of an unfinished epoch is, too.
 */
export class ReportRecorder implements Callback {
  readonly name = NAME;
  private readonly monitor: GradientMonitor;
  private columns = new Map<string, number[]>();
  private hasSeen = false;

  constructor(options: ReportRecorderOptions = {}) {
    checkOptionNames<ReportRecorderOptions>(NAME, { every: true }, options);
    this.monitor = new GradientMonitor({
      ...options,
      onReport: (_epoch, reports) => {
        this.hasSeen = true;
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
    this.note(EPOCH, report.epoch);
    for (const [k, rate] of Object.values(context.trainer.rates).entries()) this.note(`${RATE}${k}`, rate);
    this.hasSeen = false;
    this.monitor.onEpochEnd(report, context);
    this.note(SEEN, Number(this.hasSeen));
    // it may have come to the training in the midst of an epoch
    for (const values of this.columns.values()) if (values.length < this.length) values.push(NaN);
  }

  getState(): CallbackState {
    return Object.fromEntries([
      ...[...this.columns].map(([name, values]) => [name, Float64Array.from(values)]),
      ...Object.entries(this.monitor.getState()).map(([name, value]) => [UNFINISHED + name, value]),
    ]) as CallbackState;
  }

  /** @throws DataError where it is not the state of a recorder: what is not as long as there are epochs, or no column of its own */
  setState(state: CallbackState): void {
    const entries = Object.entries(state);
    const unfinished = entries.filter(([name]) => name.startsWith(UNFINISHED));
    const finished = entries.filter(([name]) => !name.startsWith(UNFINISHED));
    const columns = finished.map(([name, values]): [string, number[]] => {
      const isOwn = name === EPOCH || name === SEEN || /^(?:rate\/\d+|norm\/.+)$/.test(name);
      if (!isOwn || typeof values === 'number')
        throw new DataError(`the state of a ${NAME} has '${name}', which is no column of its own`);
      return [name, [...values]];
    });
    const epochs = columns.find(([name]) => name === EPOCH)?.[1] ?? [];
    if (!epochs.every((epoch, k) => Number.isInteger(epoch) && epoch > (epochs[k - 1] ?? 0)))
      throw new DataError(`the epochs in the state of a ${NAME} must be whole numbers, one after another`);
    for (const [name, { length }] of columns)
      if (length !== epochs.length)
        throw new DataError(
          `'${name}' in the state of a ${NAME} must have ${epochs.length} values, one an epoch, found ${length}`,
        );
    const seen = unfinished.map(([name, value]) => [name.slice(UNFINISHED.length), value]);
    if (seen.length > 0) this.monitor.setState(Object.fromEntries(seen) as CallbackState);
    this.columns = new Map(columns);
  }

  private get length(): number {
    return this.columns.get(EPOCH)?.length ?? 0;
  }

  /** Of the epoch at hand. */
  private note(name: string, value: number): void {
    const values = this.columns.get(name) ?? [];
    this.columns.set(name, values);
    while (name !== EPOCH && values.length < this.length - 1) values.push(NaN);
    values.push(value);
  }
}

/** What a `ReportRecorder` has noted of a training. */
export function recordingIn(
  { arrays }: TrainingSnapshot,
  { training, parameters }: ModelDescription,
): Recording | undefined {
  const columnOf = (name: string): readonly number[] | undefined => {
    const array = arrays[`callback/${NAME}/${name}`];
    return array && [...array.data];
  };
  const epochs = columnOf(EPOCH);
  if (epochs === undefined) return undefined;
  const columnsOf = (names: readonly string[], column: (name: string, k: number) => string) =>
    new Map(
      names.flatMap((name, k): [string, readonly number[]][] => {
        const values = columnOf(column(name, k));
        return values ? [[name, values]] : [];
      }),
    );
  return {
    epochs,
    rates: columnsOf(training.rates, (_, k) => `${RATE}${k}`),
    norms: columnsOf(
      parameters.map(({ name }) => name),
      (name) => NORM + name,
    ),
    seen: (columnOf(SEEN) ?? []).map(Boolean),
  };
}
