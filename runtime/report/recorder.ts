/** Notes by epoch what a report shows and the history has not: the rates of learning, and the norms of gradients. */
import type { BatchReport, Callback, CallbackState, EpochReport, FitContext } from '../callback.ts';
import { GradientMonitor } from '../callbacks/gradient-monitor.ts';
import { DataError } from '../errors.ts';
import type { TrainingSnapshot } from '../snapshot.ts';

const NAME = 'ReportRecorder';
const EPOCH = 'epoch';
/** With the place of the rate in the description: a name may have characters that files do not bear. */
const RATE = 'rate/';
const NORM = 'norm/';

export interface Recording {
  readonly epochs: readonly number[];
  /** In the order of the description: the rate of the last step of the epoch. */
  readonly rates: readonly (readonly number[])[];
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
    this.note(EPOCH, report.epoch);
    for (const [k, rate] of Object.values(context.trainer.rates).entries()) this.note(`${RATE}${k}`, rate);
    this.monitor.onEpochEnd(report, context);
    // of the rest of an epoch that was stopped there may be no gradient
    for (const values of this.columns.values()) if (values.length < this.length) values.push(NaN);
  }

  getState(): CallbackState {
    return Object.fromEntries([...this.columns].map(([name, values]) => [name, Float64Array.from(values)]));
  }

  /** @throws DataError where it is not the state of a recorder: what is not as long as there are epochs, or no column of its own */
  setState(state: CallbackState): void {
    const columns = Object.entries(state).map(([name, values]): [string, number[]] => {
      const isOwn = name === EPOCH || /^(?:rate\/\d+|norm\/.+)$/.test(name);
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
export function recordingIn({ arrays }: TrainingSnapshot): Recording | undefined {
  const start = `callback/${NAME}/`;
  const columns = new Map(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(start))
      .map(([name, { data }]) => [name.slice(start.length), [...data]]),
  );
  const epochs = columns.get(EPOCH);
  if (epochs === undefined) return undefined;
  const under = (prefix: string): [string, number[]][] =>
    [...columns].flatMap(([name, values]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values]] : [],
    );
  const rates = under(RATE).toSorted(([one], [other]) => Number(one) - Number(other));
  return { epochs, rates: rates.map(([, values]) => values), norms: new Map(under(NORM)) };
}
