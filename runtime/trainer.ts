/** The loop around a compiled program: training, evaluation and prediction on flat arrays. */
import { DataError } from './errors.ts';
import { initialize, initializeParameters } from './initialize.ts';
import { checkData, isArrayLike, nameOfType, sizeOf, stageRows, type Data } from './ports.ts';
import { Random } from './random.ts';
import type {
  CompiledModel,
  CompiledProgram,
  ModelDescription,
  RealArray,
  StateDescription,
} from './types.ts';

export interface TrainerOptions {
  /** Rows of a step, at most; the model's `train { batch: ... }` by default. */
  readonly batch?: number;
  /** Decides initial weights, shuffling and all draws; the model's by default. */
  readonly seed?: number;
}

/** The loss and every metric, by name. */
export type Results = Record<string, number>;

/** Values by epoch: `loss`, every metric, and the same with `val_` before them where there is validation data. */
export interface History {
  readonly epochs: readonly number[];
  readonly history: Readonly<Record<string, readonly number[]>>;
}

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly results: Readonly<Results>;
  readonly seconds: number;
}

export interface FitOptions<Inputs> {
  readonly epochs?: number;
  readonly shuffle?: boolean;
  readonly validationData?: Inputs;
  /** Stops after the step at hand; `fit` then returns what it has. */
  readonly signal?: AbortSignal;
  /** After each step: how many of the epoch's rows are done, and the running averages (one object, used again). */
  readonly onBatch?: (done: number, rows: number, running: Readonly<Results>, epoch: number) => void;
  readonly onEpoch?: (report: EpochReport) => void;
}

export interface Trainer<Inputs, Outputs> {
  readonly description: ModelDescription;
  /** Steps of the optimizer taken so far. */
  readonly step: number;
  /**
   * Trains for `epochs` passes over the data. The last batch of an epoch may be smaller. Gives way to the event loop
   * about twenty times a second.
   * @throws DataError before anything is changed
   */
  fit(data: Inputs, options?: FitOptions<Inputs>): Promise<History>;
  /**
   * The loss and metrics of the model as it is used (`training` is 0); changes nothing. They are computed batch by batch
   * and averaged with the batches' rows as weights: exact for means over rows; what is no mean of rows (a sum, a maximum, a
   * root of a mean) depends on the size of the batch. @throws DataError
   */
  evaluate(data: Inputs): Results;
  /**
   * The outputs for every row, in new arrays, computed batch by batch: an output that looks at other rows sees those of
   * its batch. Inputs that no output needs may be left out. @throws DataError
   */
  predict(data: Partial<Inputs>): Outputs;
  /**
   * One step on at most `batch` rows: forward, backward, update. The result holds the loss and metrics from before
   * the update; it is one object, used again at the next call. @throws DataError before anything is changed
   */
  trainOnBatch(data: Inputs): Readonly<Results>;
  /** Forward and backward without an update; read the result by `getGradients`. @throws DataError */
  gradientsOnBatch(data: Inputs): Readonly<Results>;
  /** Copies of the parameters, by name, row by row. */
  getWeights(): Record<string, RealArray>;
  /** Copies of the gradients of the last step, by name. */
  getGradients(): Record<string, RealArray>;
  /** Sets some or all parameters. @throws DataError (unknown name, wrong length, NaN) before anything is changed */
  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void;
  /** Copies of the states by name: of the model (running statistics), the optimizer and the schedules. */
  getState(): Record<string, RealArray>;
  /** Sets some or all states. @throws DataError (unknown name, wrong length, NaN) before anything is changed */
  setState(states: Readonly<Record<string, ArrayLike<number>>>): void;
}

const YIELD_MILLISECONDS = 50;
const GREATEST_COUNT = 2 ** 31 - 1;

/** Wraps a compiled model. Generated modules call it; see their `createTrainer`. */
export function makeTrainer<Inputs, Outputs>(
  compiled: CompiledModel,
  options: TrainerOptions = {},
): Trainer<Inputs, Outputs> {
  const { training } = compiled.description;
  const batch = positiveInteger('batch', options.batch ?? training.batch);
  const seed = options.seed ?? training.seed;
  if (!Number.isInteger(seed)) throw new DataError(`seed must be a whole number, found ${seed}`);
  return new LoopTrainer<Inputs, Outputs>(compiled.description, compiled.create(batch, seed), seed);
}

function positiveInteger(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > GREATEST_COUNT) {
    throw new DataError(`${name} must be a whole number from 1 to ${GREATEST_COUNT}, found ${value}`);
  }
  return value;
}

class LoopTrainer<Inputs, Outputs> implements Trainer<Inputs, Outputs> {
  readonly description: ModelDescription;
  private readonly program: CompiledProgram;
  private readonly seed: number;
  private readonly resultNames: readonly string[];
  private readonly results: Results = {};
  private steps = 0;
  private epochsDone = 0;

  constructor(description: ModelDescription, program: CompiledProgram, seed: number) {
    this.description = description;
    this.program = program;
    this.seed = seed;
    this.resultNames = [...(description.hasLoss ? ['loss'] : []), ...description.metrics];
    initializeParameters(description.parameters, program.parameters, seed);
    for (const state of description.states) {
      const { name, initial, shape = [state.size] } = state;
      const view = this.poolOf(state).subarray(state.offset, state.offset + state.size);
      if (typeof initial === 'number') view.fill(initial);
      else initialize(initial, shape, view, new Random(seed, `state ${name}`));
    }
  }

  get step(): number {
    return this.steps;
  }

  async fit(data: Inputs, options: FitOptions<Inputs> = {}): Promise<History> {
    this.requireTraining();
    const inputs = this.description.inputs;
    const rows = checkData(inputs, data as Data);
    const { validationData, signal, onBatch, onEpoch } = options;
    if (validationData !== undefined) checkData(inputs, validationData as Data);
    const epochs = positiveInteger('epochs', options.epochs ?? this.description.training.epochs);
    const shuffle = options.shuffle ?? this.description.training.shuffle;

    const history: Record<string, number[]> = {};
    const done: number[] = [];
    const order = Uint32Array.from({ length: rows }, (_, i) => i);
    const running: Results = {};
    let lastYield = performance.now();
    for (let epoch = 1; epoch <= epochs && !signal?.aborted; epoch++) {
      const start = performance.now();
      if (shuffle) new Random(this.seed, `shuffle ${this.epochsDone}`).shuffle(order);
      const sums = new Float64Array(this.resultNames.length);
      let seen = 0;
      while (seen < rows && !signal?.aborted) {
        const count = Math.min(this.program.batch, rows - seen);
        stageRows(this.program, inputs, data as Data, shuffle ? order : undefined, seen, count);
        this.stepOnStaged(count);
        seen += count;
        for (let k = 0; k < sums.length; k++) {
          sums[k]! += this.program.results[k]! * count;
          running[this.resultNames[k]!] = sums[k]! / seen;
        }
        onBatch?.(seen, rows, running, epoch);
        if (performance.now() - lastYield > YIELD_MILLISECONDS) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          lastYield = performance.now();
        }
      }
      if (seen < rows) break;
      this.epochsDone++;
      done.push(epoch);
      const results: Results = { ...running };
      if (validationData !== undefined) {
        for (const [name, value] of Object.entries(this.evaluate(validationData)))
          results[`val_${name}`] = value;
      }
      for (const [name, value] of Object.entries(results)) (history[name] ??= []).push(value);
      onEpoch?.({ epoch, epochs, results, seconds: (performance.now() - start) / 1000 });
    }
    return { epochs: done, history };
  }

  evaluate(data: Inputs): Results {
    const rows = checkData(this.description.inputs, data as Data);
    const sums = new Float64Array(this.resultNames.length);
    for (let from = 0; from < rows; from += this.program.batch) {
      const count = Math.min(this.program.batch, rows - from);
      stageRows(this.program, this.description.inputs, data as Data, undefined, from, count);
      this.pass('evaluate', count, from);
      for (let k = 0; k < sums.length; k++) sums[k]! += this.program.results[k]! * count;
    }
    return Object.fromEntries(this.resultNames.map((name, k) => [name, sums[k]! / rows]));
  }

  predict(data: Partial<Inputs>): Outputs {
    const needed = this.description.inputs.filter((port) => port.name in (data as object) || port.predicts);
    const rows = checkData(needed, data as Data);
    const outputs: Record<string, RealArray | Int32Array> = {};
    for (const port of this.description.outputs) {
      const sample = this.program.outputs[port.name]!;
      const length = sizeOf(port) * (port.batched ? rows : 1);
      outputs[port.name] = new (sample.constructor as new (length: number) => RealArray | Int32Array)(length);
    }
    for (let from = 0; from < rows; from += this.program.batch) {
      const count = Math.min(this.program.batch, rows - from);
      stageRows(this.program, needed, data as Data, undefined, from, count);
      this.pass('predict', count, from);
      for (const port of this.description.outputs) {
        const size = sizeOf(port);
        const values = this.program.outputs[port.name]!.subarray(0, port.batched ? count * size : size);
        outputs[port.name]!.set(values, port.batched ? from * size : 0);
      }
    }
    return outputs as Outputs;
  }

  trainOnBatch(data: Inputs): Readonly<Results> {
    this.requireTraining();
    const rows = this.stageBatch(data);
    this.stepOnStaged(rows);
    return this.currentResults();
  }

  gradientsOnBatch(data: Inputs): Readonly<Results> {
    const rows = this.stageBatch(data);
    this.pass('forward', rows, 0);
    this.program.backward(rows);
    return this.currentResults();
  }

  getWeights(): Record<string, RealArray> {
    return this.namedCopies(this.program.parameters, this.description.parameters);
  }

  getGradients(): Record<string, RealArray> {
    const trained = this.description.parameters.filter((parameter) => !parameter.frozen);
    return this.namedCopies(this.program.gradients, trained);
  }

  getState(): Record<string, RealArray> {
    return Object.fromEntries(
      this.description.states.map((state) => [
        state.name,
        this.poolOf(state).slice(state.offset, state.offset + state.size),
      ]),
    );
  }

  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void {
    const { parameters } = this.description;
    for (const { entry, values } of checkedValues('parameter', parameters, weights))
      this.program.parameters.set(values, entry.offset);
  }

  setState(states: Readonly<Record<string, ArrayLike<number>>>): void {
    for (const { entry, values } of checkedValues('state', this.description.states, states))
      this.poolOf(entry).set(values, entry.offset);
  }

  private poolOf(state: StateDescription): RealArray {
    return state.scalar ? this.program.scalars : this.program.state;
  }

  /** A pass over the staged rows; a model that is used as it is trained is evaluated by `forward`. */
  private pass(kind: 'forward' | 'evaluate' | 'predict', rows: number, first: number): void {
    const { program, steps } = this;
    if (kind === 'predict') program.predict(rows, steps, first);
    else if (kind === 'evaluate' && program.evaluate) program.evaluate(rows, steps, first);
    else program.forward(rows, steps, first);
  }

  private stageBatch(data: Inputs): number {
    const { inputs } = this.description;
    const rows = checkData(inputs, data as Data);
    if (rows > this.program.batch) {
      throw new DataError(
        `a batch has at most ${this.program.batch} rows here, found ${rows}; give createTrainer a larger batch`,
      );
    }
    stageRows(this.program, inputs, data as Data, undefined, 0, rows);
    return rows;
  }

  private stepOnStaged(rows: number): void {
    this.pass('forward', rows, 0);
    this.program.backward(rows);
    this.program.update(this.steps);
    this.steps++;
  }

  private currentResults(): Readonly<Results> {
    for (let k = 0; k < this.resultNames.length; k++)
      this.results[this.resultNames[k]!] = this.program.results[k]!;
    return this.results;
  }

  private requireTraining(): void {
    if (!this.description.trains) {
      throw new DataError(
        `model ${this.description.name} has no loss and train block, so that it cannot be trained`,
      );
    }
  }

  private namedCopies(
    pool: RealArray,
    entries: readonly { readonly name: string; readonly offset: number; readonly size: number }[],
  ): Record<string, RealArray> {
    return Object.fromEntries(
      entries.map(({ name, offset, size }) => [name, pool.slice(offset, offset + size)]),
    );
  }
}

interface Named {
  readonly name: string;
  readonly size: number;
  readonly shape?: readonly number[];
}

/** The values given for parameters or states, with what they are for. @throws DataError */
function checkedValues<Entry extends Named>(
  what: 'parameter' | 'state',
  entries: readonly Entry[],
  given: Readonly<Record<string, ArrayLike<number>>>,
): { readonly entry: Entry; readonly values: ArrayLike<number> }[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return Object.entries(given).map(([name, values]) => {
    const entry = byName.get(name);
    if (entry === undefined)
      throw new DataError(`there is no ${what} '${name}'; the model's are ${[...byName.keys()].join(', ')}`);
    if (!isArrayLike(values))
      throw new DataError(`${what} '${name}' must be an array of numbers, found ${nameOfType(values)}`);
    if (values.length !== entry.size) {
      const shape = entry.shape === undefined ? '' : ` [${entry.shape.join(', ')}]`;
      throw new DataError(`${what} '${name}'${shape} has ${entry.size} values, found ${values.length}`);
    }
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i]))
        throw new DataError(`${what} '${name}' is ${String(values[i])} at element ${i}`);
    }
    return { entry, values };
  });
}
