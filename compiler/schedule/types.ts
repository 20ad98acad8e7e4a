/**
 * The loop program: what runs, over which buffers, in which order. It knows no target language: a TypeScript emitter
 * prints it today, a WebAssembly emitter can stand beside it. Arithmetic is float64; a store rounds to its buffer.
 */
import type {
  BinaryOperator,
  ElementType,
  Extent,
  Origin,
  Role,
  Statement,
  Tensor,
  UnaryOperator,
} from '../graph/types.ts';

/**
 * A size that may depend on one run-time extent (the batch, or `count`):
 * constant + coefficient · symbol + quadratic · symbol². The last is there for tensors with two open axes, as the
 * similarities s[n, m] of all pairs of rows.
 */
export interface Size {
  readonly constant: number;
  readonly symbol?: string;
  readonly coefficient?: number;
  readonly quadratic?: number;
}

/**
 * Where a tensor lives. Offsets are in elements of the pool. Tensors that are never alive at the same time share a place;
 * those that only one function sees have no buffer at all. Pools:
 * - parameters: the trained ones first; a gradient has the offset of its parameter;
 * - workspace (real), doubles, integers: intermediates;
 * - state: states, one after the other;
 * - input: an array of its own for each tensor, offset 0.
 * Tensors of role `scalar` have no buffer: they are `numbers` of the functions that use them.
 */
export interface Buffer {
  readonly tensor: string;
  readonly role: Role;
  readonly element: ElementType;
  readonly axes: readonly Extent[];
  readonly size: Size;
  readonly pool: 'parameters' | 'gradients' | 'state' | 'workspace' | 'doubles' | 'integers' | 'input';
  readonly offset: Size;
  /** The tensor that this is another name of: equal values in equal order, in one place. */
  readonly sameAs?: string;
}

// -------------------------------------------------------------------------------------------------- integer expressions

export type IntegerExpression =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string } // loop index, `let` integer, or a run-time extent
  | { readonly kind: 'sum'; readonly terms: readonly IntegerExpression[] }
  | { readonly kind: 'product'; readonly left: IntegerExpression; readonly right: IntegerExpression }
  | { readonly kind: 'floor_divide'; readonly of: IntegerExpression; readonly by: number }
  | { readonly kind: 'modulo'; readonly of: IntegerExpression; readonly by: number } // result in 0 .. by-1
  | {
      readonly kind: 'minimum' | 'maximum';
      readonly left: IntegerExpression;
      readonly right: IntegerExpression;
    }
  | { readonly kind: 'load_integer'; readonly buffer: string; readonly offset: IntegerExpression };

// ---------------------------------------------------------------------------------------------------- real expressions

/**
 * `load` is from a buffer of element real or double; an integer tensor's value is `from_integer` of `load_integer`.
 * Comparisons and logic are never unary or binary operators here: they are conditions, and `truth` makes them numbers.
 */
export type Value =
  | { readonly kind: 'number'; readonly value: number; readonly name?: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'load'; readonly buffer: string; readonly offset: IntegerExpression }
  | { readonly kind: 'from_integer'; readonly value: IntegerExpression }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Value }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Value;
      readonly right: Value;
    }
  | {
      readonly kind: 'select';
      readonly condition: Condition;
      readonly then: Value;
      readonly otherwise: Value;
    }
  | { readonly kind: 'truth'; readonly condition: Condition }; // 1 or 0

export type Condition =
  | {
      readonly kind: 'compare';
      readonly operator: '<' | '<=' | '>' | '>=' | '==' | '!=';
      readonly left: Value;
      readonly right: Value;
    }
  | {
      readonly kind: 'compare_integer';
      readonly operator: '<' | '<=' | '>' | '>=' | '==' | '!=';
      readonly left: IntegerExpression;
      readonly right: IntegerExpression;
    }
  | { readonly kind: 'nonzero'; readonly value: Value }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition };

// ---------------------------------------------------------------------------------------------------------- statements

/** With the target of the statement that it is a part of, where a function computes several: for places in the model. */
export type LoopStatement = LoopForm & { readonly target?: string };

type LoopForm =
  | {
      /** Up to, and without, `to`; with a negative step down to it. */
      readonly kind: 'for';
      readonly index: string;
      readonly from: IntegerExpression;
      readonly to: IntegerExpression;
      readonly step: number;
      readonly body: readonly LoopStatement[];
    }
  | { readonly kind: 'constant'; readonly name: string; readonly value: Value } // const name = value
  | { readonly kind: 'integer_constant'; readonly name: string; readonly value: IntegerExpression }
  | { readonly kind: 'accumulator'; readonly name: string; readonly initial: Value } // let name = initial
  | { readonly kind: 'integer_accumulator'; readonly name: string; readonly initial: IntegerExpression }
  | { readonly kind: 'set'; readonly name: string; readonly value: Value }
  | { readonly kind: 'set_integer'; readonly name: string; readonly value: IntegerExpression }
  | {
      readonly kind: 'store';
      readonly buffer: string;
      readonly offset: IntegerExpression;
      readonly value: Value;
      readonly add: boolean;
    }
  | {
      readonly kind: 'store_integer';
      readonly buffer: string;
      readonly offset: IntegerExpression;
      readonly value: IntegerExpression;
    }
  | { readonly kind: 'fill'; readonly buffer: string; readonly value: number }
  | {
      readonly kind: 'if';
      readonly condition: Condition;
      readonly then: readonly LoopStatement[];
      readonly otherwise: readonly LoopStatement[];
    }
  | {
      readonly kind: 'call';
      readonly function: string;
      readonly arguments: readonly CallArgument[];
      /** How many arguments go together, and what they are: for calls with more numbers than a reader can tell apart. */
      readonly groups?: readonly { readonly count: number; readonly meaning: string }[];
    }
  | { readonly kind: 'comment'; readonly text: string };

export type CallArgument =
  | { readonly kind: 'buffer'; readonly buffer: string }
  | { readonly kind: 'integer'; readonly value: IntegerExpression };

/** One emitted function: one operation of the program, or a shared kernel. Its parameters are all it touches. */
export interface LoopFunction {
  readonly name: string;
  /** Buffer parameters first, then integer ones (run-time extents, kernel sizes). */
  readonly buffers: readonly {
    readonly name: string;
    readonly element: ElementType;
    readonly access: 'read' | 'write' | 'update';
  }[];
  readonly integers: readonly string[];
  /** Real parameters, after the integers: `t`, `step`, `loss`, a rate. The body reads them as variables. */
  readonly numbers?: readonly string[];
  readonly body: readonly LoopStatement[];
  /** The statements it computes (their mathematics and places go above it); empty for a kernel. */
  readonly computes: readonly Statement[];
  /** The tensors of these statements, if they are not called there what the program calls them. */
  readonly tensors?: ReadonlyMap<string, Tensor>;
  /** What the results are in the program, statement for statement, and where they come from: for each use. */
  readonly uses?: readonly (readonly Result[])[];
  /** What a kernel does, in words. */
  readonly documentation?: string;
  /** How the work is done, and why so; kernels have none. */
  readonly decision?: Decision;
}

/** Of the scheduler, for the printed schedule. */
export interface Decision {
  /** A choice that can be left out, or `loops`. */
  readonly form: string;
  readonly why: string;
}

export interface Result {
  readonly tensor: string;
  readonly origin: Origin;
}

/**
 * A call of a function with actual buffers (by tensor name) and integers, in a step's readable list, both in the order
 * of the function's parameters. A string among the integers is a run-time extent (`n`, `count`); the parameter that
 * takes it may have another name (`batch`, where `n` is a loop index).
 */
export interface Step {
  readonly function: string;
  readonly buffers: readonly string[];
  readonly integers: readonly (number | string)[];
  /** Actual values of the function's `numbers`: names of scalar tensors. */
  readonly numbers?: readonly string[];
}

export interface LoopProgram {
  readonly name: string;
  readonly dtype: 'f32' | 'f64';
  readonly batch?: string;
  readonly buffers: ReadonlyMap<string, Buffer>;
  readonly functions: readonly LoopFunction[];
  /** Loss, metrics and all that the backward pass keeps. */
  readonly forward: readonly Step[];
  readonly backward: readonly Step[];
  /** Loss and metrics as inference gives them, where they differ from those of `forward`. */
  readonly evaluate?: readonly Step[];
  /** Outputs alone. */
  readonly predict: readonly Step[];
  /** The random tensors that must be drawn before a list is run; those of `backward` are drawn with `forward`. */
  readonly draws: Readonly<Record<'forward' | 'evaluate' | 'predict', readonly string[]>>;
  /** State -> the tensor of its next value, which takes its place after `backward`. */
  readonly nextValues: ReadonlyMap<string, string>;
  /**
   * Bytes of intermediates alive while each step runs, for each list: training (`forward`, then `backward`), `evaluate`,
   * `predict`. The largest is the least that the workspace can be (memory.ts).
   */
  readonly moments: readonly (readonly Size[])[];
  /** Sizes of the pools, in elements. */
  readonly pools: Readonly<Record<Buffer['pool'], Size>>;
}

/**
 * One update program (an optimizer's step for a run of `count` parameters, or a schedule's) as loops. Its arrays are
 * handed in, each from offset 0: `p`, `g` and the states, by their tensor names. The next value of a tensor is stored
 * in place: the target `m'` is the buffer `m`. Rank-0 states and rank-0 results are buffers of one double; scalars
 * (`t`, `step`, `loss`, a scheduled rate) are `numbers`.
 */
export interface UpdateLoops {
  readonly functions: readonly LoopFunction[];
  /** The calls of one run, in order; the only integer name is `count`. */
  readonly steps: readonly Step[];
  /** Intermediates that one function leaves for another, or a schedule's result; sizes in `count`, offsets unused. */
  readonly buffers: ReadonlyMap<string, Buffer>;
}
