/** Training: epochs of steps, with validation and callbacks between them. */
import type { BatchReport, FitContext, History, Learner, Outcome } from './callback.ts';
import { DataError } from './errors.ts';
import type { Engine, Results } from './engine.ts';
import { averagesOf, predict } from './evaluate.ts';
import { computeSplitMetrics } from './evaluate-metrics.ts';
import type { FitOptions } from './options.ts';
import { planFit, type Plan } from './plan.ts';
import { callbackStates, historyOf, type Session } from './session.ts';

const YIELD_MILLISECONDS = 50;

/** @throws DataError before anything is changed; what a callback throws, after a whole step */
export async function fit(
  engine: Engine,
  trainer: Learner,
  data: unknown,
  options: FitOptions<unknown>,
): Promise<History> {
  const plan = planFit(engine, data, options);
  engine.isFitting = true;
  const run = runFit(engine, trainer, plan, options.signal);
  await Promise.allSettled([run]);
  engine.isFitting = false;
  // everything is closed, whatever throws; the first error is the one that counts
  const closed = [plan.source, ...plan.callbacks.values()].map(async (part) => part.close?.());
  await Promise.allSettled(closed);
  await Promise.all([run, ...closed]);
  return run;
}

/** What is thrown for a value that is not finite takes the finished epochs along: `--checks`. */
function withHistory(error: unknown, session: Session): unknown {
  if (error instanceof Error && 'history' in error) error.history = historyOf(session);
  return error;
}

async function runFit(
  engine: Engine,
  trainer: Learner,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<History> {
  const { source, session, epochs } = plan;
  const { accumulate } = plan.settings;
  const { resultNames } = engine;
  const callbacks = [...plan.callbacks.values()];
  let isStopped = false;
  const isOver = (): boolean => isStopped || signal?.aborted === true;
  const breathe = breathing();
  const validated = [...resultNames, ...Object.keys(plan.metrics ?? {})].map((name) => `val_${name}`);
  const context: FitContext = {
    trainer,
    initialEpoch: session.epoch,
    epochs,
    names: [...resultNames, ...(plan.validation ? validated : [])],
    get history() {
      return historyOf(session);
    },
    resumed: plan.resumed,
    stop: () => {
      isStopped = true;
    },
  };
  const report: { -readonly [Key in keyof BatchReport]: BatchReport[Key] } = {
    epoch: 0,
    epochs,
    steps: 0,
    stepsPerEpoch: source.batches && Math.ceil(source.batches / accumulate),
    done: 0,
    rows: source.rows ?? NaN,
    running: {},
  };
  /** Σ rows · result over the micro-batches of a step. */
  const stepSums = new Float64Array(resultNames.length);

  const means = (): Results =>
    Object.fromEntries(resultNames.map((name, k) => [name, session.sums[k]! / session.rows]));

  /** Callbacks may refuse to begin; then nothing has happened. */
  async function begin(): Promise<void> {
    const { session: before, epoch } = engine;
    const stored = callbackStates(session);
    for (const [id, callback] of plan.callbacks) {
      const state = stored.get(id);
      if (state) callback.setState?.(state);
    }
    if (!plan.resumed) engine.epoch = Math.max(epoch, session.initialEpoch);
    engine.session = session;
    Object.assign(session, { callbacks: plan.callbacks, stored });
    try {
      for (const callback of callbacks) await callback.onTrainBegin?.(context);
    } catch (error) {
      engine.session = before;
      engine.epoch = epoch;
      throw error;
    }
  }

  /** One step of the optimizer, on one batch or several; its rows, or 0 where the epoch is over. */
  async function step(): Promise<number> {
    let rows = 0;
    stepSums.fill(0);
    for (let batch = 0; batch < accumulate; batch++) {
      const staged = source.stage();
      const count = typeof staged === 'number' ? staged : await staged;
      if (count === 0) break;
      plan.adjust(count, batch);
      if (accumulate === 1) engine.stepOnStaged(count);
      else engine.accumulate(count, rows);
      rows += count;
      for (let k = 0; k < stepSums.length; k++) stepSums[k]! += engine.program.results[k]! * count;
    }
    if (rows === 0) return 0;
    if (accumulate > 1) engine.updateAccumulated(rows, stepSums);
    source.note(session);
    report.done = session.rows += rows;
    report.steps = ++session.steps;
    for (let k = 0; k < stepSums.length; k++) session.sums[k]! += stepSums[k]!;
    Object.assign(report.running, means());
    return rows;
  }

  /** One epoch, or the rest of it. False if it was left before its end. */
  async function runEpoch(): Promise<boolean> {
    const epoch = session.epoch + 1;
    const start = performance.now();
    report.epoch = epoch;
    if (session.steps === 0) for (const callback of callbacks) await callback.onEpochBegin?.(epoch, context);
    await source.begin(session);
    while (!isOver() && (await step()) > 0) {
      for (const callback of callbacks) {
        const waiting = callback.onBatchEnd?.(report, context);
        if (waiting) await waiting;
      }
      await breathe();
    }
    if (isOver() && session.rows !== source.rows) return false;

    const results = means();
    if (plan.validation) Object.assign(results, await evaluateValidation(engine, plan, breathe));
    await source.end(session);
    session.epoch = epoch;
    engine.epoch++;
    session.rows = 0;
    session.steps = 0;
    session.sums.fill(0);
    for (const name in results) (session.history[name] ??= []).push(results[name]!);
    const seconds = (performance.now() - start) / 1000;
    for (const callback of callbacks)
      await callback.onEpochEnd?.({ epoch, epochs, results, seconds }, context);
    return true;
  }

  await begin();
  try {
    while (session.epoch < epochs && !isOver() && (await runEpoch())) {
      // an epoch after another
    }
  } catch (error) {
    throw withHistory(error, session);
  }
  const outcome: Outcome = signal?.aborted ? 'aborted' : isStopped ? 'stopped' : 'finished';
  for (const callback of callbacks) await callback.onTrainEnd?.(outcome, context);
  return historyOf(session);
}

/** Loss and metrics of the validation data, by names with `val_`. */
async function evaluateValidation(
  engine: Engine,
  { validation, metrics, session }: Plan,
  breathe: () => Promise<void>,
): Promise<Results> {
  const source = validation!();
  const averages = averagesOf(engine.resultNames);
  let seen = 0;
  try {
    await source.begin({ rows: 0, steps: 0, pass: session.epoch, batches: 0 });
    for (;;) {
      const rows = await source.stage();
      if (rows === 0) break;
      engine.pass('evaluate', rows, seen);
      averages.add(engine.program.results, rows);
      seen += rows;
      await breathe();
    }
  } finally {
    await source.close();
  }
  if (seen === 0) throw new DataError('validationData gave no batch');
  const results = averages.means();
  const part = source.part?.();
  if (metrics && part) Object.assign(results, computeSplitMetrics(metrics, predict(engine, part), part));
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [`val_${name}`, value]));
}

/** Gives way to the event loop about twenty times a second. */
function breathing(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last <= YIELD_MILLISECONDS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
