/**
 * One compiled program with its counters: what training, evaluation and prediction have in common. Everything here is
 * about one batch that lies in the program's inputs.
 */
import { DataError } from './errors.ts';
import { initialize } from './initialize.ts';
import { Random } from './random.ts';
import type { Session } from './session.ts';
import type {
  CompiledModel,
  CompiledProgram,
  Initializer,
  ModelDescription,
  RealArray,
  StateDescription,
} from './types.ts';
import type { RowWeighting } from './weights.ts';

/** The loss and every metric, by name. */
export type Results = Record<string, number>;

export class Engine {
  readonly description: ModelDescription;
  /** The loss, if there is one, then the metrics: the names of `program.results`. */
  readonly resultNames: readonly string[];
  program: CompiledProgram;
  seed: number;
  /** Steps of the optimizer taken. */
  step = 0;
  /** Epochs finished: what decides the next order of the rows. */
  epoch = 0;
  /** What every `rate` of the train block is multiplied by. */
  rateFactor = 1;
  /** How far the last `fit` has come. */
  session: Session | undefined;
  /** A `fit` is at work. */
  isFitting = false;

  /** Where the model has an input for weights of rows. */
  readonly weighting: RowWeighting | undefined;

  private readonly compiled: CompiledModel;
  /** Σ rows · gradient over the micro-batches of a step; made when it is first needed. */
  private gradientSums: Float64Array | undefined;

  constructor(compiled: CompiledModel, batch: number, seed: number) {
    this.compiled = compiled;
    this.weighting = compiled.weighting;
    this.description = compiled.description;
    const { hasLoss, metrics, parameters } = compiled.description;
    this.resultNames = [...(hasLoss ? ['loss'] : []), ...metrics];
    this.seed = seed;
    this.program = compiled.create(batch, seed);
    // every tensor draws from its own stream of the seed, so that adding a layer does not change how the others begin
    for (const parameter of parameters)
      initialize(
        compiled,
        parameter,
        this.parameterOf(parameter),
        new Random(seed, `parameter ${parameter.name}`),
      );
    for (const state of compiled.description.states) {
      const { name, initial, shape = [state.size] } = state;
      const initializer: Initializer =
        typeof initial === 'number' ? { kind: 'constant', value: initial } : initial;
      initialize(compiled, { shape, initializer }, this.stateOf(state), new Random(seed, `state ${name}`));
    }
  }

  /** The place of a state. */
  stateOf(state: StateDescription): RealArray {
    const pool: RealArray = state.scalar ? this.program.scalars : this.program.state;
    return pool.subarray(state.offset, state.offset + state.size);
  }

  /** The place of a parameter. */
  parameterOf({ offset, size }: { readonly offset: number; readonly size: number }): RealArray {
    return this.program.parameters.subarray(offset, offset + size);
  }

  /** The same program under another seed: draws are decided when it is made. Parameters and states have to be set. */
  reseed(seed: number): void {
    if (seed === this.seed) return;
    this.program = this.compiled.create(this.program.batch, seed);
    this.seed = seed;
  }

  requireTraining(): void {
    if (!this.description.trains) {
      throw new DataError(`model ${this.description.name} cannot be trained: it has no loss and train block`);
    }
  }

  /** Whether an optimizer has a hyper-parameter `rate`, so that `rateFactor` does something. @throws DataError */
  requireRate(): void {
    if (this.description.training.rates.length === 0) {
      throw new DataError(
        `no optimizer of model ${this.description.name} has a hyper-parameter named rate to be scaled`,
      );
    }
  }

  /**
   * A pass over the staged rows; a model that is used as it is trained is evaluated by `forward`.
   * @param first how many rows of the same data have come before
   */
  pass(kind: 'forward' | 'evaluate', rows: number, first: number): void {
    const { program, step } = this;
    if (kind === 'evaluate' && program.evaluate) program.evaluate(rows, step, first);
    else program.forward(rows, step, first);
  }

  /** Outputs of the staged rows. */
  run(rows: number, first: number): void {
    this.program.predict(rows, this.step, first);
  }

  /** One step on the staged rows. */
  stepOnStaged(rows: number): void {
    this.pass('forward', rows, 0);
    this.program.backward(rows);
    this.update();
  }

  update(): void {
    this.program.update(this.step, this.rateFactor);
    this.step++;
  }

  /** Adds the gradient of the staged rows to those of a step that has seen `before` rows. */
  accumulate(rows: number, before: number): void {
    this.pass('forward', rows, before);
    this.program.backward(rows);
    const { gradients } = this.program;
    const sums = (this.gradientSums ??= new Float64Array(gradients.length));
    if (before === 0) sums.fill(0);
    for (let i = 0; i < sums.length; i++) sums[i]! += gradients[i]! * rows;
  }

  /** The step with what has been accumulated over this many rows. `sums`: Σ rows · result over them. */
  updateAccumulated(rows: number, sums: Float64Array): void {
    const { gradients, results } = this.program;
    for (let i = 0; i < gradients.length; i++) gradients[i] = this.gradientSums![i]! / rows;
    for (let k = 0; k < results.length; k++) results[k] = sums[k]! / rows;
    this.update();
  }
}
