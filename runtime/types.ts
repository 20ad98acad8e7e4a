/** What a generated module gives to the runtime. Everything here is plain data and plain functions. */

import type { fillOrthogonal } from './orthogonal.ts';
import type { RowWeighting } from './weights.ts';

export type RealArray = Float32Array | Float64Array;

/** How a parameter gets its first value; the kinds are those of the language, with fans already worked out. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }
  | { readonly kind: 'orthogonal'; readonly gain: number }
  | { readonly kind: 'values'; readonly values: readonly number[] };

/** An input or an output. `shape` leaves out the batch axis where `batched`. */
export interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  /** The first axis is the batch. */
  readonly batched: boolean;
  /** The names the axes of `shape` were declared with, for documentation and messages; '' where there is none. */
  readonly axes?: readonly string[];
  readonly element: 'real' | 'integer';
  /** Integers: least and greatest value allowed. */
  readonly least?: number;
  readonly greatest?: number;
  /** Of an output of one real number a row: its formula keeps it between 0 and 1. */
  readonly probability?: boolean;
  /** Of an input: `predict` reads it. */
  readonly predicts?: boolean;
  /** Of an input: what every element is where it is not given, so that it may be left out. */
  readonly default?: number;
}

/** A tensor that is kept, and where. */
export interface PlaceDescription {
  readonly name: string;
  readonly shape: readonly number[];
  /** Place in the flat array of all parameters (and of all gradients), or of all states. */
  readonly offset: number;
  readonly size: number;
}

export interface ParameterDescription extends PlaceDescription {
  readonly frozen: boolean;
  readonly initializer: Initializer;
}

/**
 * A state of the model, of the optimizer or of a schedule, kept from step to step: a range of `state`, or of `scalars` where
 * `scalar`.
 */
export interface StateDescription {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** The first value of every element, or how first values are drawn. */
  readonly initial: number | Initializer;
  readonly scalar: boolean;
  /** Of a state of the model (running statistics). */
  readonly shape?: readonly number[];
  /** The parameter it runs parallel to, element by element. */
  readonly parameter?: string;
}

/** Numbers by power of the rows: `[constant, per row, ...]`. */
export type Polynomial = readonly number[];

/** A tensor on the way to the outputs. */
export interface LayerDescription {
  readonly name: string;
  /** Without the batch axis where `batched`. */
  readonly shape: readonly number[];
  readonly batched: boolean;
  /** The names of those that are read. */
  readonly parameters: readonly string[];
  /** Operations on real numbers: of a matrix product two for every pair of factors. */
  readonly flops: Polynomial;
}

export interface WorkDescription {
  /** Operations of a backward pass; absent where there is none. */
  readonly backward?: Polynomial;
  /** Bytes of inputs and intermediates. */
  readonly bytes: Polynomial;
}

/** What every module says of its model. */
export interface NetworkDescription {
  readonly name: string;
  readonly dtype: 'f32' | 'f64';
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * The loss, metrics and outputs that depend on how rows are put into batches, if there are any: no mean over rows (a root of
   * a mean, a maximum, a sum), or outputs that look at other rows. Of these `evaluate` and `predict` give what batches give.
   */
  readonly batchwise?: readonly string[];
  readonly layers: readonly LayerDescription[];
  readonly work: WorkDescription;
}

export interface ModelDescription extends NetworkDescription {
  readonly metrics: readonly string[];
  readonly hasLoss: boolean;
  /** There is a loss and a `train` block: `backward` and `update` do something. */
  readonly trains: boolean;
  readonly parameters: readonly ParameterDescription[];
  readonly states: readonly StateDescription[];
  /** Defaults from the model's `train` block. */
  readonly training: {
    readonly batch: number;
    readonly epochs: number;
    readonly seed: number;
    readonly shuffle: boolean;
    /** Names of the optimizers with a hyper-parameter `rate`, which `rateFactor` scales: `adam`, `sgd of *_W`. */
    readonly rates: readonly string[];
  };
}

/** The part of a program that predicts. */
export interface PredictingProgram {
  readonly batch: number;
  readonly parameters: RealArray;
  readonly state: RealArray;
  readonly inputs: Readonly<Record<string, RealArray | Int32Array>>;
  readonly outputs: Readonly<Record<string, RealArray | Int32Array>>;
  /** Outputs. */
  predict(rows: number, step: number, first: number): void;
}

/**
 * The arrays and the step functions of one trainer, for batches of up to `batch` rows. Inputs are copied into
 * `inputs` by the runtime before a call; `rows` is how many rows of them count. What is drawn depends on `step`, the steps
 * taken before, and on the places of the rows: `first` is how many have come before these, where data are passed in
 * several batches. Nothing allocates.
 */
export interface CompiledProgram extends PredictingProgram {
  readonly gradients: RealArray;
  /** Scalar states, always float64. The step count is the runtime's. */
  readonly scalars: Float64Array;
  /** The rates that the last `update` took, in the order of their names in the description; NaN before. */
  readonly rates: Float64Array;
  /** Loss first, then the metrics in their order: values of the last `forward` or `evaluate`. */
  readonly results: Float64Array;
  /** Loss and metrics, and all that the backward pass needs. */
  forward(rows: number, step: number, first: number): void;
  /** Gradients of the loss, after `forward` on the same rows. */
  backward(rows: number): void;
  /**
   * The next values of the model's states, and one step of the optimizer with the gradients; after `backward`. Every
   * hyper-parameter named `rate` is multiplied by `rateFactor`. What depends on the loss reads it from `results`.
   */
  update(step: number, rateFactor: number): void;
  /** Loss and metrics of the model as it is used, not trained; absent where `forward` gives them. */
  evaluate?(rows: number, step: number, first: number): void;
}

export interface CompiledModel {
  readonly description: ModelDescription;
  create(batch: number, seed: number): CompiledProgram;
  /** Where a parameter begins so. */
  readonly initializers?: { readonly orthogonal: typeof fillOrthogonal };
  /** `rowWeights`, where the model has a real `input sample_weight[n]`. */
  readonly weighting?: RowWeighting;
}

/** What a module for inference has of its model. */
export interface PredictorDescription extends NetworkDescription {
  readonly parameters: readonly PlaceDescription[];
  /** Running statistics. */
  readonly states: readonly PlaceDescription[];
  /** Parameters of the model that no output needs. */
  readonly unread: readonly string[];
  /** Rows of a pass, and what decides draws, unless said otherwise. */
  readonly batch: number;
  readonly seed: number;
}

export interface PredictingModel {
  readonly description: PredictorDescription;
  create(batch: number, seed: number): PredictingProgram;
}
