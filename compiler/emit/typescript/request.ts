/** @file What the emitter is given. */
import type { Program } from '../../graph/types.ts';
import type { Followed } from '../../rewrite/named.ts';
import type { Model } from '../../model/types.ts';
import type { LoopProgram, UpdateLoops } from '../../schedule/types.ts';

export interface EmitOptions {
  /** Import specifier of the runtime. */
  readonly runtime: string;
  /** The runtime's own text, to stand in the file instead of the import. */
  readonly standalone?: string;
  /** The compiler's version, for the header. */
  readonly version: string;
  /** SHA-256 of the source text, in hexadecimal; the header shows its beginning. */
  readonly hash: string;
  /** What the header calls the source. */
  readonly path: string;
  /** Passes and choices that were left out, for the header. */
  readonly without?: readonly string[];
  /** exact: the engine's own functions, no approximation of them. */
  readonly math?: 'exact';
  /** Every value is looked at when it has been computed. */
  readonly checks?: boolean;
  /** Named tensors are handed to a listener. */
  readonly trace?: boolean;
}

export interface EmitRequest {
  readonly model: Model;
  /** After all passes: the program of which `loops` are the loops. */
  readonly program: Program;
  readonly loops: LoopProgram;
  /** One for each of `model.training.groups`, in their order. */
  readonly groups: readonly UpdateLoops[];
  /** One for each of `model.training.schedules`, in their order. */
  readonly schedules: readonly UpdateLoops[];
  /** With `trace`: the tensors that can be followed, beside parameters and gradients. */
  readonly traced?: readonly Followed[];
  /** With `checks`: the statements before they were put into one another. */
  readonly before?: Program;
  /** The module predicts only: `program` is what is left of the model for that. */
  readonly inference?: boolean;
  readonly options: EmitOptions;
}
