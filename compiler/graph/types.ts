/**
 * The graph: every program is a list of statements of one form,
 *
 *     T[α(L)]  =  finish( ⊕ over L of body(L) )          L in a box of indices
 *
 * where α is an index map, ⊕ one of `combine`, `body` a scalar expression over reads `A[β(L)]`, index variables and
 * constants. A matrix product, a convolution, an attention, a reduction, a transpose, a broadcast are all this.
 *
 * Rules (checked by graph/validate.ts):
 * - every tensor is the target of at most one statement, and statements stand in an order in which reads follow writes
 *   (but for earlier steps of a recurrence: `Scan`);
 * - index names are unique inside a statement; the order of `indices` is the loop order a reader would expect:
 *   first those that the write uses, then the reduced ones;
 * - a statement that is not a scatter writes `T[i0, i1, ...]` with its first indices, each once, in the order of the axes;
 * - where a scatter writes nothing, the element is the neutral element of ⊕;
 * - all nodes are immutable; a pass makes new ones. Nodes may be shared (the same object twice): walk with a memo.
 */
import type { Span } from '../diagnostics/source.ts';

// ---------------------------------------------------------------------------------------------- sizes and indices

/** A size: a number, or the name of a size that is bound at run time (the batch `n`, or an optimizer's `count`). */
export type Extent = number | string;

/** A loop index and how far it runs: 0 .. extent-1. */
export interface LoopIndex {
  readonly name: string;
  readonly extent: Extent;
}

/** An integer-valued index expression:  constant + Σ coefficient · atom.  Terms have distinct atoms, no zero coefficients. */
export interface IndexExpression {
  readonly terms: readonly IndexTerm[];
  readonly constant: number;
}

export interface IndexTerm {
  readonly coefficient: number;
  readonly atom: IndexAtom;
}

export type IndexAtom =
  /** a loop index */
  | { readonly kind: 'index'; readonly name: string }
  /** the value of an integer tensor: `tokens[n, t]` in `E[tokens[n, t], d]` */
  | { readonly kind: 'fetch'; readonly tensor: string; readonly at: readonly IndexExpression[] }
  /**
   * floor(of / by). With `exact`, only whole quotients count: a read (with `outside`) at another place is outside.
   * That is how the inverse of a strided read is written:  i = (a - u) / 2.
   */
  | { readonly kind: 'quotient'; readonly of: IndexExpression; readonly by: number; readonly exact: boolean }
  /** of mod by, in 0 .. by-1 */
  | { readonly kind: 'remainder'; readonly of: IndexExpression; readonly by: number };

// ------------------------------------------------------------------------------------------------ scalar expressions

export type UnaryOperator =
  | 'negate'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round' // round: half to even
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'log2'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'erf'
  | 'sigmoid'
  | 'softplus'
  | 'relu'
  /** √u where u is a sum of squares: the same value as sqrt, and derivative 0 (a subgradient) where u = 0 */
  | 'norm_sqrt'
  /** logical: 1 if the operand is 0, else 0 */
  | 'not'
  /** the operand, with derivative zero */
  | 'stop_gradient';

export type BinaryOperator =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'power'
  | 'max'
  | 'min'
  | 'atan2'
  | 'modulo'
  /** comparisons and logic give 1 or 0, with derivative zero */
  | 'less'
  | 'less_equal'
  | 'greater'
  | 'greater_equal'
  | 'equal'
  | 'not_equal'
  | 'and'
  | 'or';

export type Expression =
  Constant | IndexValue | ExtentValue | Read | Unary | Binary | Select | OwnCall | Derivative | Accumulated;

export interface Constant {
  readonly kind: 'constant';
  readonly value: number;
  /** how the user wrote it (`pi`, `1e-8`), kept for printing */
  readonly name?: string;
}

/** An index expression as a number: `t` in `sin(t / 10000^(2*d/D))`, `k` in `k == label[n]`. */
export interface IndexValue {
  readonly kind: 'index_value';
  readonly index: IndexExpression;
}

/** A run-time size as a number: the `n` of a mean over the batch. Fixed sizes are constants. */
export interface ExtentValue {
  readonly kind: 'extent_value';
  readonly extent: string;
}

export interface Read {
  readonly kind: 'read';
  readonly tensor: string;
  readonly at: readonly IndexExpression[];
  /** The value of a read outside the tensor. Absent: every read must be provably inside (or is checked data). */
  readonly outside?: number;
}

export interface Unary {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

export interface Binary {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** condition ≠ 0 ? then : otherwise. Only the chosen branch counts, in value and in gradient. */
export interface Select {
  readonly kind: 'select';
  readonly condition: Expression;
  readonly then: Expression;
  readonly otherwise: Expression;
}

/**
 * A call of a function that has a derivative of its own. It is an operator like others until nothing is left to be
 * differentiated; then its value is put in its place (own-functions.ts).
 */
export interface OwnCall {
  readonly kind: 'call';
  readonly callee: OwnFunction;
  /** One for each parameter. */
  readonly operands: readonly Expression[];
}

/** `fn f(x, a) = ...` with `derivative f(x, a) = ..., ...`: numbers in, a number out. Unique by its name in a program. */
export interface OwnFunction {
  readonly name: string;
  readonly parameters: readonly string[];
  /** Reads of the parameters, as tensors without axes, stand for the operands. */
  readonly value: Expression;
  /** The partial derivative by each parameter, as `value`. A function: they may call what they belong to. */
  readonly partials: () => readonly Expression[];
}

/**
 * A derivative that the model asks for; it is the whole body of an assignment, until calculus/derivatives.ts puts the
 * statements in its place that compute it.
 * - `grad(of, by)`, without `along`: the partial derivative of one element by one element, through all that `of` depends on;
 * - `jvp(of, by = along, ...)`: the derivative of one element along a direction, given for each tensor in `by` by the tensor
 *   of the same axes in `along`. Those are taken whole: their reads stand for the tensors, at the place 0, 0, ...
 */
export interface Derivative {
  readonly kind: 'derivative';
  /** At plain indices, each once; along an axis of size 1 it may be at 0. */
  readonly of: Read;
  readonly by: readonly Read[];
  readonly along?: readonly Read[];
  /** The term in the text. */
  readonly span: Span;
}

/** Only inside `finish`: the combined value of the statement. */
export interface Accumulated {
  readonly kind: 'accumulated';
}

// --------------------------------------------------------------------------------------------------------- statements

/**
 * How values that meet in one element join.
 * - `assign`: there is exactly one (no reduced index);
 * - `logsumexp`: a ⊕ b = log(eᵃ + eᵇ), computed with the maximum taken out;
 * - `argmax`, `argmin`: the target is an integer tensor: the place of the first extreme value, counted row by row
 *   through the box of the reduced indices (neutral: -1).
 */
export type Combine = 'assign' | 'sum' | 'product' | 'max' | 'min' | 'logsumexp' | 'argmax' | 'argmin';

/** Where a statement comes from, through every pass. */
export interface Origin {
  readonly span: Span;
  /** The calls of layers that brought it into the model, outermost first: the first stands in the model itself. */
  readonly calls: readonly Span[];
  /** What was done to get it from there, newest last: 'adjoint of h', 'stabilised', 'shared', ... For explanations. */
  readonly history: readonly string[];
}

export type Phase = 'forward' | 'backward' | 'update';

/**
 * What a statement of a recurrence has to say of it. Statements that stand side by side with one `group` run together,
 * step by step: for each value of their index, all of them in order, at that value. So a statement of a group may read
 * a tensor of its group at an earlier step (`t - c`; in a reversed scan `t + c`; c > 0) wherever that stands in the
 * group, and at its own step `t` if it stands before. Nothing else of the group may be read; all steps are kept, so that
 * everything after the group reads its tensors as any other. Only what is recurrent is in a group (graph/scan.ts).
 */
export interface Scan {
  /** The target of the group's first statement. */
  readonly group: string;
  /** The statement's index that counts the steps. It is written: on its axis `write` is just this index. */
  readonly index: string;
  /** True: from the last step to the first. */
  readonly reversed: boolean;
}

export interface Statement {
  readonly target: string;
  readonly indices: readonly LoopIndex[];
  /** One entry per axis of the target. */
  readonly write: readonly IndexExpression[];
  readonly combine: Combine;
  readonly body: Expression;
  /** Applied once to each combined value: an epilogue such as `relu(acc + b[j])`. Reads only the written indices. */
  readonly finish?: Expression;
  /** Set if the statement is one of a recurrence. */
  readonly scan?: Scan;
  readonly phase: Phase;
  readonly origin: Origin;
  /** Set inside of a block that is not kept for the backward pass (rewrite/checkpoint.ts). */
  readonly checkpoint?: Checkpoint;
}

export interface Checkpoint {
  /** The result of the block, which is kept; of what is computed again alone (rewrite/recompute.ts) its own first name. */
  readonly block: string;
  /** True for what the backward pass computes again. */
  readonly again?: boolean;
}

// ------------------------------------------------------------------------------------------------------------ tensors

/** `real` follows --dtype; `double` is always float64 (losses, logsumexp); `integer` is int32. */
export type ElementType = 'real' | 'double' | 'integer';

export type Role =
  | 'input' // given with every batch
  | 'parameter' // trained
  | 'state' // kept from step to step: an optimizer's moments, running statistics; its next value is the target `name'`
  | 'random' // drawn anew for every step, see Distribution
  | 'scalar' // rank 0, set by the runtime before a step: t, step, rate
  | 'intermediate'; // computed by a statement

export interface Tensor {
  readonly name: string;
  readonly role: Role;
  readonly axes: readonly Extent[];
  /** The names the axes were declared with, for documentation and error messages; '' where there is none. */
  readonly axisNames: readonly string[];
  readonly element: ElementType;
  /** Of an integer tensor: least and greatest value allowed. */
  readonly range?: { readonly least: number; readonly greatest: number };
  /** Of an input that may be left out: what every element then is. */
  readonly default?: number;
  /** Of a parameter or a state: how its first value is made. */
  readonly initializer?: Initializer;
  /** Of a random tensor: what its elements are drawn from, independently. Only its first axis may be open. */
  readonly distribution?: Distribution;
  /** A parameter that is not trained. */
  readonly frozen?: boolean;
  /** Set by the scheduler (schedule/steps.ts): the axis of a recurrence's steps, of which only the one at hand is stored. */
  readonly stepAxis?: number;
  /** Of a reduction that stands inside of a statement, `h` of `h_sum`: the model gives it no name of its own. */
  readonly partOf?: string;
  /** What the model calls it when it is used, where training has another tensor of that name. */
  readonly knownAs?: string;
  readonly span: Span;
}

/** fanIn and fanOut count as in Keras: product of the receptive field times the last-but-one / last axis. */
export type Initializer = InitialValues & {
  /** How the user wrote it, `glorot_uniform`, kept for printing: it gives these values for the axes of its tensor. */
  readonly name?: string;
};

export type InitialValues =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }
  | { readonly kind: 'orthogonal'; readonly gain: number }
  | { readonly kind: 'values'; readonly values: readonly number[] };

/** `bernoulli` gives 1 with this probability, else 0. */
export type Distribution =
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }
  | { readonly kind: 'bernoulli'; readonly probability: number };

// ------------------------------------------------------------------------------------------------------------ program

/**
 * `cotangent h[n, j] -> clip(dh[n, j], -1, 1)`: what flows on of the cotangent that arrives at a tensor, in the gradient of
 * the loss. Its statements belong to the backward pass, and so do not stand among those of the program.
 */
export interface CotangentEdit {
  /** h */
  readonly tensor: string;
  /** What the statements read as the cotangent that arrives: a name of its own, the axes of h. */
  readonly arriving: Tensor;
  /** The last one gives what flows on, at an index for each axis of h, in order. */
  readonly statements: readonly Statement[];
  /** Their targets. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly span: Span;
}

export interface Program {
  readonly name: string;
  /** In order of declaration; intermediates in order of their statements. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly statements: readonly Statement[];
  /** Names of rank-0 or larger tensors that must survive every pass; of the inference variant. */
  readonly outputs: readonly string[];
  /** A rank-0 tensor; absent for a program that is only evaluated. */
  readonly loss?: string;
  /** Rank-0 tensors, averaged over batches by the runtime. */
  readonly metrics: readonly string[];
  /**
   * The same loss and metrics (in their order) with `training` = 0, where a model has statements for both: its loss is
   * trained, these are reported. Absent where there is no difference.
   */
  readonly evaluation?: { readonly loss?: string; readonly metrics: readonly string[] };
  /** What is done to cotangents on their way back; nothing where there is none. Gone after calculus. */
  readonly edits?: readonly CotangentEdit[];
  /** After calculus: the cotangents that such edits give. They stay statements of their own, so that a reader sees them. */
  readonly editedCotangents?: readonly string[];
  /** After calculus: parameter -> the tensor that holds its gradient. */
  readonly gradients: ReadonlyMap<string, string>;
}
