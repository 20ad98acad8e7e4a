/** Training: epochs of steps, with validation and callbacks between them. */
import type {
  BatchReport,
  Callback,
  EpochReport,
  FitContext,
  History,
  Learner,
  Outcome,
} from './callback.ts';
import { DataError } from './errors.ts';
import type { Engine, Results } from './engine.ts';
import { ArrayBatches } from './batches.ts';
import { Averages, predict } from './evaluate.ts';
import { computeSplitMetrics } from './evaluate-metrics.ts';
import type { FitOptions } from './options.ts';
import { planFit, type Plan } from './plan.ts';
import { historyOf, type Session } from './session.ts';

const YIELD_MILLISECONDS = 50;

/** @throws DataError before anything is changed; what a callback throws, after a whole step */
export async function fit(
  engine: Engine,
  trainer: Learner,
  data: unknown,
  options: FitOptions<unknown>,
): Promise<History> {
  const plan = planFit(engine, data, options);
  const run = new FitRun(engine, trainer, plan, options.signal);
  engine.isFitting = true;
  try {
    return await run.run();
  } finally {
    engine.isFitting = false;
    await run.close();
  }
}

class FitRun {
  private readonly engine: Engine;
  private readonly plan: Plan;
  private readonly session: Session;
  private readonly signal: AbortSignal | undefined;
  private readonly callbacks: readonly Callback[];
  private readonly context: FitContext;
  private readonly report: { -readonly [Key in keyof BatchReport]: BatchReport[Key] };
  private readonly running: Results = {};
  /** Σ rows · result over the micro-batches of a step. */
  private readonly stepSums: Float64Array;
  private isStopped = false;
  private lastYield = performance.now();

  constructor(engine: Engine, trainer: Learner, plan: Plan, signal: AbortSignal | undefined) {
    const { source, session, epochs, settings } = plan;
    this.engine = engine;
    this.plan = plan;
    this.session = session;
    this.signal = signal;
    this.callbacks = [...plan.callbacks.values()];
    this.stepSums = new Float64Array(engine.resultNames.length);
    this.report = {
      epoch: 0,
      epochs,
      steps: 0,
      stepsPerEpoch:
        source.batches === undefined ? undefined : Math.ceil(source.batches / settings.accumulate),
      done: 0,
      rows: source.rows ?? NaN,
      running: this.running,
    };
    const figures = [...engine.resultNames, ...Object.keys(plan.metrics ?? {})];
    const validated = plan.validation === undefined ? [] : figures.map((name) => `val_${name}`);
    this.context = {
      trainer,
      initialEpoch: session.epoch,
      epochs,
      names: [...engine.resultNames, ...validated],
      get history() {
        return historyOf(session);
      },
      resumed: plan.resumed,
      stop: () => {
        this.isStopped = true;
      },
    };
  }

  async run(): Promise<History> {
    const { session, plan, context } = this;
    await this.begin();
    while (session.epoch < plan.epochs && !this.isOver) if (!(await this.epoch())) break;
    const outcome: Outcome = this.signal?.aborted ? 'aborted' : this.isStopped ? 'stopped' : 'finished';
    for (const callback of this.callbacks) await callback.onTrainEnd?.(outcome, context);
    return historyOf(session);
  }

  async close(): Promise<void> {
    await this.plan.source.close();
    for (const callback of this.callbacks) await callback.close?.();
  }

  private get isOver(): boolean {
    return this.isStopped || this.signal?.aborted === true;
  }

  /** Callbacks may refuse to begin; then nothing has happened. */
  private async begin(): Promise<void> {
    const { engine, plan, session } = this;
    const { session: before, epoch } = engine;
    for (const [id, callback] of plan.callbacks) {
      const state = plan.resumed ? session.stored.get(id) : undefined;
      if (state !== undefined) callback.setState?.(state);
    }
    if (!plan.resumed) engine.epoch = Math.max(engine.epoch, session.initialEpoch);
    engine.session = session;
    session.callbacks = plan.callbacks;
    try {
      for (const callback of this.callbacks) await callback.onTrainBegin?.(this.context);
    } catch (error) {
      engine.session = before;
      engine.epoch = epoch;
      throw error;
    }
  }

  /** One epoch, or the rest of it. False if it was left before its end. */
  private async epoch(): Promise<boolean> {
    const { session, engine, plan, context } = this;
    const { source } = plan;
    const number = session.epoch + 1;
    const start = performance.now();
    this.report.epoch = number;
    if (session.steps === 0)
      for (const callback of this.callbacks) await callback.onEpochBegin?.(number, context);
    await source.begin(session);
    while (!this.isOver) {
      if ((await this.step()) === 0) break;
      for (const callback of this.callbacks) {
        const waiting = callback.onBatchEnd?.(this.report, context);
        if (waiting !== undefined) await waiting;
      }
      await this.breathe();
    }
    if (this.isOver && session.rows !== source.rows) return false;

    const results = this.means();
    if (plan.validation !== undefined) Object.assign(results, await this.validate());
    source.end(session);
    session.epoch = number;
    engine.epoch++;
    session.rows = 0;
    session.steps = 0;
    session.sums.fill(0);
    for (const [name, value] of Object.entries(results)) (session.history[name] ??= []).push(value);
    const seconds = (performance.now() - start) / 1000;
    const report: EpochReport = { epoch: number, epochs: plan.epochs, results, seconds };
    for (const callback of this.callbacks) await callback.onEpochEnd?.(report, context);
    return true;
  }

  /** One step of the optimizer, on one batch or several; its rows, or 0 where the epoch is over. */
  private async step(): Promise<number> {
    const { engine, plan, session } = this;
    const { accumulate } = plan.settings;
    let rows = 0;
    this.stepSums.fill(0);
    for (let batch = 0; batch < accumulate; batch++) {
      const staged = plan.source.stage();
      const count = typeof staged === 'number' ? staged : await staged;
      if (count === 0) break;
      plan.adjust(count, batch);
      if (accumulate === 1) engine.stepOnStaged(count);
      else engine.accumulate(count, rows);
      rows += count;
      for (let k = 0; k < this.stepSums.length; k++) this.stepSums[k]! += engine.program.results[k]! * count;
    }
    if (rows === 0) return 0;
    if (accumulate > 1)
      engine.updateAccumulated(
        rows,
        this.stepSums.map((sum) => sum / rows),
      );
    plan.source.note(session);
    session.rows += rows;
    session.steps++;
    for (let k = 0; k < this.stepSums.length; k++) session.sums[k]! += this.stepSums[k]!;
    this.report.done = session.rows;
    this.report.steps = session.steps;
    Object.assign(this.running, this.means());
    return rows;
  }

  private means(): Results {
    const { sums, rows } = this.session;
    return Object.fromEntries(this.engine.resultNames.map((name, k) => [name, sums[k]! / rows]));
  }

  private async validate(): Promise<Results> {
    const { engine, plan, session } = this;
    const source = plan.validation!();
    const averages = new Averages(engine.resultNames);
    let seen = 0;
    try {
      await source.begin({ rows: 0, steps: 0, pass: session.epoch, batches: 0 });
      for (;;) {
        const staged = source.stage();
        const rows = typeof staged === 'number' ? staged : await staged;
        if (rows === 0) break;
        engine.pass('evaluate', rows, seen);
        averages.add(engine.program.results, rows);
        seen += rows;
        await this.breathe();
      }
    } finally {
      await source.close();
    }
    if (seen === 0) throw new DataError('validationData gave no batch');
    const results = averages.means();
    if (plan.metrics !== undefined && source instanceof ArrayBatches) {
      const { part } = source;
      Object.assign(results, computeSplitMetrics(plan.metrics, predict(engine, part), part));
    }
    return Object.fromEntries(Object.entries(results).map(([name, value]) => [`val_${name}`, value]));
  }

  /** Gives way to the event loop about twenty times a second. */
  private async breathe(): Promise<void> {
    if (performance.now() - this.lastYield <= YIELD_MILLISECONDS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.lastYield = performance.now();
  }
}
