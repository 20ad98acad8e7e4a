/** What a check is given and what it says: plain data, and functions that run emitted code. */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { CompiledProgram, ModelDescription, RealArray } from '../../runtime/types.ts';

/** What an emitted module exports, as far as a check uses it. */
export interface LoadedModule {
  readonly description: ModelDescription;
  createProgram(batch: number, seed: number): CompiledProgram;
  createTrainer(options: { readonly batch: number; readonly seed: number }): {
    getWeights(): Readonly<Record<string, RealArray>>;
    getState(): Readonly<Record<string, RealArray>>;
  };
}

/** Turns the text of an emitted module into what runs: whoever calls knows how, the compiler evaluates no text. */
export type LoadModule = (text: string) => Promise<LoadedModule>;

/** Arrays by input, flat, row by row. */
export type InputData = Readonly<Record<string, ArrayLike<number>>>;

/** Arrays that a user gives, by the names of inputs. */
export interface GivenData {
  /** What messages call it. */
  readonly name: string;
  readonly arrays: InputData;
  /** Of arrays that say it: nested ones, tensors of a file. */
  readonly shapes?: Readonly<Record<string, readonly number[] | Ragged>>;
}

/** Nested arrays, of which some are longer than others, in words. */
export interface Ragged {
  readonly ragged: string;
}

export interface CheckOptions {
  readonly load: LoadModule;
  /** Decides parameters, data, directions and draws. */
  readonly seed?: number;
  /** Directions for each parameter; by default three, of a large model fewer. */
  readonly directions?: number;
  /** Rows of a batch; by default five, of a large model two. Of given data the first ones are taken. */
  readonly rows?: number;
  /** In place of random data. */
  readonly data?: GivenData;
  /** The runtime's text, for modules that import nothing. */
  readonly standalone?: string;
  /** Passes and choices of the schedule that are left out of the modules that are checked. */
  readonly without?: ReadonlySet<string>;
  /** Comparisons that are not made. Each needs a module of its own. */
  readonly leaveOut?: ReadonlySet<ElementwiseProof>;
}

/** Against another gradient, element by element. */
export type ElementwiseProof = 'scatter' | 'float32';

export type ProofName = 'differences' | 'forward' | ElementwiseProof;

/** What one proof found for one parameter. */
export type Proof =
  | {
      readonly kind: 'compared';
      /** The greatest difference, relative to the gradient of the parameter (of its worst direction or element). */
      readonly difference: number;
      readonly ok: boolean;
      /** The gradient is so small that rounding hides it: both are 0 as far as can be seen. */
      readonly vanishes?: true;
      /** Beyond what is allowed, but another float32 program of the same gradient is as far off: digits cancel. */
      readonly cancels?: true;
    }
  /** No step size gives a number to compare with: a kink or a jump at every scale. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'left out' };

/** The element in which a wrong gradient is most wrong. */
export interface WorstElement {
  /** `W1[3, 17]` */
  readonly name: string;
  readonly gradient: number;
  /** What it should be, by the proof that failed. */
  readonly expected: number;
}

export interface ParameterReport {
  readonly name: string;
  readonly shape: readonly number[];
  /** Euclidean length of the gradient. */
  readonly norm: number;
  readonly proofs: Readonly<Record<ProofName, Proof>>;
  readonly ok: boolean;
  readonly worst?: WorstElement;
  /** Where the statement stands that the gradient comes from, and where the parameter is declared: `digits.dsl:12`. */
  readonly from: string;
  readonly declared: string;
}

export interface CheckReport {
  readonly model: string;
  readonly rows: number;
  readonly seed: number;
  readonly directions: number;
  /** Where the data come from, in words. */
  readonly data: string;
  readonly loss: number;
  /** The loss of the formulas as they were written, before any rewriting; absent where it is not finite. */
  readonly written?: number;
  readonly parameters: readonly ParameterReport[];
  /** What a reader must know of how it was compared. */
  readonly remarks: readonly string[];
  readonly ok: boolean;
}

export interface Checked {
  /** Absent where nothing could be compared: the diagnostics say why. */
  readonly report?: CheckReport;
  readonly diagnostics: readonly Diagnostic[];
}
