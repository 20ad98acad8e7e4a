/** The elaborated model: what is left of the syntax when names, shapes, layers and hyper-parameters are settled. */
import type { Span } from '../diagnostics/source.ts';
import type { Program } from '../graph/types.ts';

export interface Model {
  readonly name: string;
  /** The forward program: inputs, parameters, statements of phase `forward`, outputs, loss, metrics. */
  readonly program: Program;
  /** The name of the open dimension, if the model has one: an Extent of the program. */
  readonly batch?: string;
  readonly training?: Training;
  /** What its own items name: inputs, parameters, statements, ... but not what only layers name. */
  readonly names: readonly string[];
  /** The whole of its definition. */
  readonly span: Span;
}

export interface Training {
  /** Rows of a step; the runtime may be told otherwise. */
  readonly batch?: number;
  readonly epochs: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly clip?: Clip;
  /** Every trained parameter is in exactly one group. Groups in the order of their first parameter. */
  readonly groups: readonly UpdateGroup[];
  /**
   * The schedules, each run once a step before the groups, in order; their names are unique. Each program has
   * - scalars (role `scalar`, rank 0, element double) `step` (0, 1, ...) and `loss` (of this step), if it reads them;
   * - states (role `state`, rank 0, element double), if it is a block that has any: the next value of X is the target X',
   *   to be copied to X after the program has run;
   * - rank-0 statements of phase `update`; `outputs` is ['value'], the value of this step.
   */
  readonly schedules: readonly Program[];
  readonly span: Span;
}

export type Clip =
  | { readonly kind: 'value'; readonly limit: number }
  /** g · min(1, limit / (‖g‖ + 1e-6)), the norm over all trained parameters (Pascanu et al. 2013; PyTorch's constant) */
  | { readonly kind: 'global_norm'; readonly limit: number };

/**
 * One optimizer call and the parameters it updates. `program` is one step for one run of `count` parameters:
 * - tensors `p` (role parameter), `g` (role input: the gradient) with axes ['count'];
 * - its own states, role `state`, axes ['count'], or [] for a scalar state (`state P[] ~ ones`);
 * - scalars, role `scalar`, rank 0, element double: `t` (1, 2, ...), `step` (t - 1), `loss` (of this step), `rate` (the rate in
 *   force: see `rate` below), and the other hyper-parameters that a schedule computes, named `<parameter>`, if any;
 * - statements of phase `update`; the next value of a tensor X is the target `X'`: `p'`, `m'`, ... (X' has X's axes).
 *   Other targets are intermediates (reductions such as LAMB's norms).
 * Where the program reduces over `count`, the group must be run once per parameter tensor (`perParameter`).
 */
export interface UpdateGroup {
  readonly optimizer: string;
  readonly parameters: readonly string[];
  readonly program: Program;
  readonly perParameter: boolean;
  /** Hyper-parameter -> the name of the program in `Training.schedules` that computes it; `rate` is not among them. */
  readonly scheduled: ReadonlyMap<string, string>;
  /** The hyper-parameter `rate`, if the program reads one. */
  readonly rate?: Rate;
}

/** What the scalar `rate` is in every step: `written` times a factor of the run time, which callbacks turn down. */
export interface Rate {
  /** For people: `adam`, or `adam of *_W` where the entry names its parameters. No two groups have the same. */
  readonly name: string;
  /** What the train block says: a number, or the name of the program in `Training.schedules` that computes it. */
  readonly written: number | { readonly schedule: string };
}
