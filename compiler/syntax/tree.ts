/** The syntax tree of a `.dsl` file. Every node has the span of its text; what failed to parse is an ErrorExpression. */
import type { Source, Span } from '../diagnostics/source.ts';

export interface Name {
  readonly text: string;
  readonly span: Span;
}

// -------------------------------------------------------------------------------------------------------- expressions

export type SyntaxExpression =
  | NumberLiteral
  | StringLiteral
  | ListLiteral
  | Reference
  | IndexedRead
  | Call
  | UnaryExpression
  | BinaryExpression
  | Conditional
  | ErrorExpression;

export interface NumberLiteral {
  readonly kind: 'number';
  readonly value: number;
  readonly text: string;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  readonly span: Span;
}

export interface ListLiteral {
  readonly kind: 'list';
  readonly items: readonly SyntaxExpression[];
  readonly span: Span;
}

/**
 * A bare name: `W`, `t`, `m'` (the prime is part of the name). Among the indices of a read, the name `..` stands for
 * any number of indices: `x[.., i]`. As the callee of an index, `x[n, ..i]`, it is their axes counted as one, row by row.
 */
export interface Reference {
  readonly kind: 'reference';
  readonly name: Name;
  readonly span: Span;
}

/**
 * What a read outside its tensor gives, if it is no number: the nearest element, the one as far inside of the border as
 * the place is outside, the one at the other end.
 */
export const borders = ['edge', 'reflect', 'circular'] as const;
export type Border = (typeof borders)[number];

/** `x[n, i - 1] else 0`: a tensor-valued expression read at indices. */
export interface IndexedRead {
  readonly kind: 'read';
  readonly tensor: SyntaxExpression;
  readonly indices: readonly SyntaxExpression[];
  /** `else PADDING`: the value of a read outside the tensor. */
  readonly outside?: { readonly value: number | Border; readonly span: Span };
  readonly span: Span;
}

/** `relu(x)`, `softmax[k](z[n, k])`, `sum[i, j](...)`, `adam(rate = 1e-3)`. `x |> f(a)` is parsed to f(x, a) with `piped`. */
export interface Call {
  readonly kind: 'call';
  readonly callee: Name;
  /** The index names in brackets, if there are brackets. */
  readonly binders?: readonly Binder[];
  readonly arguments: readonly Argument[];
  readonly piped: boolean;
  readonly span: Span;
}

/** An index name that a call binds, or `..`; `sum[u: 2](...)` gives its extent. */
export interface Binder extends Name {
  readonly extent?: SyntaxExpression;
}

export interface Argument {
  readonly name?: Name;
  readonly value: SyntaxExpression;
}

export type UnarySign = '-' | 'not';
export type BinarySign = '+' | '-' | '*' | '/' | '^' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or';

export interface UnaryExpression {
  readonly kind: 'unary';
  readonly operator: UnarySign;
  readonly operand: SyntaxExpression;
  readonly span: Span;
}

export interface BinaryExpression {
  readonly kind: 'binary';
  readonly operator: BinarySign;
  readonly left: SyntaxExpression;
  readonly right: SyntaxExpression;
  readonly span: Span;
}

export interface Conditional {
  readonly kind: 'conditional';
  readonly condition: SyntaxExpression;
  readonly then: SyntaxExpression;
  readonly otherwise: SyntaxExpression;
  readonly span: Span;
}

/** Stands where an expression could not be parsed; it has been reported. Elaboration must stay silent about it. */
export interface ErrorExpression {
  readonly kind: 'error';
  readonly span: Span;
}

// --------------------------------------------------------------------------------------------------------- definitions

/** An axis of a declaration: a size expression, `..` (any number of leading axes) or `_` (a size without a name). */
export type SyntaxAxis =
  | { readonly kind: 'size'; readonly value: SyntaxExpression; readonly span: Span }
  | { readonly kind: 'rest'; readonly span: Span }
  | { readonly kind: 'any'; readonly span: Span };

/** An index on the left side of an assignment: `i`, `i: 14`, or `..`. */
export type Binding =
  | { readonly kind: 'index'; readonly name: Name; readonly extent?: SyntaxExpression; readonly span: Span }
  | { readonly kind: 'rest'; readonly span: Span };

export interface DimDeclaration {
  readonly kind: 'dim';
  readonly name: Name;
  readonly value: SyntaxExpression;
  readonly span: Span;
}

/** `require pad < size, "pad must be less than size"`: what must hold of the numbers known at compile time. */
export interface Requirement {
  readonly kind: 'require';
  readonly condition: SyntaxExpression;
  /** What the error says. */
  readonly message: string;
  readonly span: Span;
}

export interface InputDeclaration {
  readonly kind: 'input';
  readonly name: Name;
  readonly axes: readonly SyntaxAxis[];
  /** `: 10` has least absent (0) and `end` 10 excluded; `: -100 .. 9` has both, inclusive. */
  readonly range?: {
    readonly least?: SyntaxExpression;
    readonly bound: SyntaxExpression;
    readonly span: Span;
  };
  /** `= 1`: what every element is where the data leave it out. */
  readonly default?: SyntaxExpression;
  readonly span: Span;
}

export interface ParamDeclaration {
  readonly kind: 'param';
  readonly name: Name;
  readonly axes: readonly SyntaxAxis[];
  /** A call (`normal(0, 0.02)`), a bare name (`zeros`: a Reference), a number or a list. */
  readonly initializer: SyntaxExpression;
  readonly span: Span;
}

export interface StateDeclaration {
  readonly kind: 'state';
  readonly name: Name;
  /** Of a model or layer: the axes of the tensor. */
  readonly axes: readonly SyntaxAxis[];
  /** Of an optimizer, `state P[] ~ ones`: one number instead of one per element. */
  readonly scalar: boolean;
  readonly initializer: SyntaxExpression;
  readonly span: Span;
}

/** `random u[n, j] ~ uniform(0, 1)` */
export interface RandomDeclaration {
  readonly kind: 'random';
  readonly name: Name;
  readonly axes: readonly SyntaxAxis[];
  /** A call, or what else was written there. */
  readonly distribution: SyntaxExpression;
  readonly span: Span;
}

export interface Assignment {
  readonly kind: 'assignment';
  /** The name with its prime, if any: `m'`. */
  readonly name: Name;
  /** Absent: no brackets (a whole-tensor or scalar assignment). */
  readonly bindings?: readonly Binding[];
  /** Instead of bindings: `dE[token[n, t]: 96, d] += dy[n, t, d] for n, t, d`. */
  readonly scatter?: Scatter;
  /** The word `checkpoint` before it. */
  readonly checkpoint?: Span;
  readonly value: SyntaxExpression;
  readonly span: Span;
}

/** How values that meet in one element of a scatter join. */
export const scatterOperators = ['+=', '*=', 'max=', 'min=', 'logsumexp='] as const;

export type ScatterOperator = (typeof scatterOperators)[number];

/** An assignment to computed places. */
export interface Scatter {
  readonly positions: readonly Position[];
  readonly operator: ScatterOperator;
  /** Of the operator. */
  readonly span: Span;
  /** The indices after `for`, that positions and value are evaluated for. */
  readonly loops: readonly Binding[];
}

/** A place on the left side of a scatter: `token[n, t]: 96`, where the extent is the size of the axis. */
export interface Position {
  readonly index: SyntaxExpression;
  readonly extent?: SyntaxExpression;
  readonly span: Span;
}

/** `cotangent h[n, j] -> clip(dh[n, j], -1, 1)`: what flows on of the cotangent that arrives at a tensor. */
export interface CotangentEdit {
  readonly kind: 'cotangent';
  /** The tensor. */
  readonly name: Name;
  /** Absent: no brackets. */
  readonly bindings?: readonly Binding[];
  readonly value: SyntaxExpression;
  readonly span: Span;
}

/** `output p[n, k] = ...` or `output p`. */
export interface OutputDeclaration {
  readonly kind: 'output';
  readonly name: Name;
  readonly assignment?: Assignment;
  readonly span: Span;
}

export interface LossDeclaration {
  readonly kind: 'loss';
  readonly value: SyntaxExpression;
  readonly span: Span;
}

export interface MetricDeclaration {
  readonly kind: 'metric';
  readonly name: Name;
  readonly value: SyntaxExpression;
  readonly span: Span;
}

export interface TrainDeclaration {
  readonly kind: 'train';
  readonly entries: readonly TrainEntry[];
  readonly span: Span;
}

export interface TrainEntry {
  readonly name: Name;
  /** Names or patterns: `optimizer[W1, "block_*"]`. */
  readonly targets?: readonly Name[];
  readonly value: SyntaxExpression;
  readonly span: Span;
}

/**
 * `scan t { ... }`, `scan t reversed { ... }`: a recurrence. Its statements run together, step by step along the index,
 * and may read each other at earlier steps.
 */
export interface ScanBlock {
  readonly kind: 'scan';
  readonly index: Name;
  readonly reversed: boolean;
  readonly items: readonly Assignment[];
  readonly span: Span;
}

export type ModelItem =
  | DimDeclaration
  | Requirement
  | InputDeclaration
  | ParamDeclaration
  | StateDeclaration
  | RandomDeclaration
  | Assignment
  | CotangentEdit
  | ScanBlock
  | OutputDeclaration
  | LossDeclaration
  | MetricDeclaration
  | TrainDeclaration;

/** What may stand in a layer. */
export type LayerItem =
  | DimDeclaration
  | Requirement
  | ParamDeclaration
  | StateDeclaration
  | RandomDeclaration
  | Assignment
  | CotangentEdit
  | ScanBlock;

export interface ModelDefinition {
  readonly kind: 'model';
  readonly name: Name;
  readonly items: readonly ModelItem[];
  readonly span: Span;
}

/** A parameter of a fn, layer, optimizer or schedule. `axes` present: a tensor (layers only). */
export interface Parameter {
  readonly name: Name;
  readonly axes?: readonly SyntaxAxis[];
  readonly default?: SyntaxExpression;
  readonly span: Span;
}

export interface FnDefinition {
  readonly kind: 'fn';
  readonly name: Name;
  /** `k` in `fn softmax[k](z) = ...` */
  readonly binder?: Name;
  readonly parameters: readonly Parameter[];
  /** Local definitions of the block form; empty in the one-line form. */
  readonly locals: readonly Assignment[];
  readonly value: SyntaxExpression;
  readonly span: Span;
}

/** `derivative f(x, a) = a, x`: the partial derivatives of a function of the file, in the order of its parameters. */
export interface DerivativeDefinition {
  readonly kind: 'derivative';
  /** The function. */
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly values: readonly SyntaxExpression[];
  readonly span: Span;
}

export interface LayerDefinition {
  readonly kind: 'layer';
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly result: Name;
  readonly resultAxes: readonly SyntaxAxis[];
  readonly items: readonly LayerItem[];
  readonly span: Span;
}

export interface OptimizerDefinition {
  readonly kind: 'optimizer';
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly items: readonly (StateDeclaration | Assignment)[];
  readonly span: Span;
}

/** The one-line form has one assignment, to `value`. */
export interface ScheduleDefinition {
  readonly kind: 'schedule';
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly items: readonly (StateDeclaration | Assignment)[];
  readonly span: Span;
}

export interface ImportDeclaration {
  readonly kind: 'import';
  readonly path: StringLiteral;
  readonly span: Span;
}

export type SyntaxItem =
  | ImportDeclaration
  | DimDeclaration
  | FnDefinition
  | DerivativeDefinition
  | LayerDefinition
  | OptimizerDefinition
  | ScheduleDefinition
  | ModelDefinition;

export interface SyntaxFile {
  readonly source: Source;
  readonly items: readonly SyntaxItem[];
}
