/** What a module compiled for inference hands out: the outputs of a model whose weights come from a training. */
import { DataError, positiveInteger } from './errors.ts';
import { predict } from './evaluate.ts';
import { checkedValues, namedCopies } from './named.ts';
import type { Data } from './ports.ts';
import type {
  PlaceDescription,
  PredictingModel,
  PredictingProgram,
  PredictorDescription,
  RealArray,
} from './types.ts';

export interface PredictorOptions {
  /** Rows of a pass, at most; the model's `train { batch: ... }` by default. */
  readonly batch?: number;
  /** Decides all draws; the model's by default. */
  readonly seed?: number;
}

/** Whatever has weights by name: a trainer or another predictor. */
export interface WeightsByName {
  getWeights(): Record<string, RealArray>;
  getState(): Record<string, RealArray>;
}

export interface Predictor<Inputs, Outputs> extends WeightsByName {
  readonly description: PredictorDescription;
  /**
   * The outputs for every row, in new arrays, computed batch by batch: an output that looks at other rows sees those of
   * its batch. @throws DataError; also where a parameter or a running statistic has never been set
   */
  predict(data: Inputs): Outputs;
  /** Copies of the parameters, by name, row by row. */
  getWeights(): Record<string, RealArray>;
  /**
   * Sets some or all parameters. Those of the model that no output needs are passed over.
   * @throws DataError (unknown name, wrong length, NaN) before anything is changed
   */
  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void;
  /** Copies of the running statistics, by name. */
  getState(): Record<string, RealArray>;
  /** Sets some or all running statistics. @throws DataError before anything is changed */
  setState(states: Readonly<Record<string, ArrayLike<number>>>): void;
  /**
   * Takes all parameters and running statistics from a trainer or a predictor of the same model.
   * @throws DataError where one is missing or has another length, before anything is changed
   */
  copyWeights(from: WeightsByName): void;
}

/** Wraps a compiled model. Generated modules call it; see their `createPredictor`. */
export function makePredictor<Inputs, Outputs>(
  compiled: PredictingModel,
  options: PredictorOptions = {},
): Predictor<Inputs, Outputs> {
  const { description } = compiled;
  const batch = positiveInteger('batch', options.batch ?? description.batch);
  const seed = options.seed ?? description.seed;
  if (!Number.isInteger(seed)) throw new DataError(`seed must be a whole number, found ${seed}`);
  return new ProgramPredictor<Inputs, Outputs>(description, compiled.create(batch, seed));
}

class ProgramPredictor<Inputs, Outputs> implements Predictor<Inputs, Outputs> {
  readonly description: PredictorDescription;
  private readonly program: PredictingProgram;
  /** Names that have no value yet. */
  private readonly unset: Set<string>;

  constructor(description: PredictorDescription, program: PredictingProgram) {
    this.description = description;
    this.program = program;
    this.unset = new Set([...description.parameters, ...description.states].map(({ name }) => name));
  }

  predict(data: Inputs): Outputs {
    if (this.unset.size > 0) {
      throw new DataError(
        `${[...this.unset].join(', ')} of model ${this.description.name} must be set before it can predict`,
      );
    }
    const { program, description } = this;
    const run = (rows: number, first: number): void => program.predict(rows, 0, first);
    return predict({ program, description, run }, data as Data) as Outputs;
  }

  getWeights(): Record<string, RealArray> {
    return namedCopies(this.program.parameters, this.description.parameters);
  }

  getState(): Record<string, RealArray> {
    return namedCopies(this.program.state, this.description.states);
  }

  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void {
    const { parameters, unread } = this.description;
    const known = Object.entries(weights).filter(([name]) => !unread.includes(name));
    this.put(this.program.parameters, checkedValues('parameter', parameters, Object.fromEntries(known)));
  }

  setState(states: Readonly<Record<string, ArrayLike<number>>>): void {
    this.put(this.program.state, checkedValues('state', this.description.states, states));
  }

  copyWeights(from: WeightsByName): void {
    const { parameters, states } = this.description;
    const weights = checkedValues('parameter', parameters, pick(parameters, from.getWeights()));
    const running = checkedValues('state', states, pick(states, from.getState()));
    this.put(this.program.parameters, weights);
    this.put(this.program.state, running);
  }

  private put(
    pool: RealArray,
    checked: readonly { readonly entry: PlaceDescription; readonly values: ArrayLike<number> }[],
  ): void {
    for (const { entry, values } of checked) {
      pool.set(values, entry.offset);
      this.unset.delete(entry.name);
    }
  }
}

function pick(
  places: readonly PlaceDescription[],
  values: Readonly<Record<string, RealArray>>,
): Record<string, RealArray> {
  return Object.fromEntries(
    places.map(({ name }) => {
      if (!Object.hasOwn(values, name)) throw new DataError(`there is no '${name}' to be copied`);
      return [name, values[name]!];
    }),
  );
}
