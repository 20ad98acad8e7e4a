/** Short words for loop programs written by hand. */
import type { Span } from '../../compiler/diagnostics/source.ts';
import type {
  Extent,
  Initializer,
  LoopIndex,
  Role,
  Statement,
  Tensor,
  ElementType,
} from '../../compiler/graph/types.ts';
import type {
  Buffer,
  Condition,
  IntegerExpression,
  LoopFunction,
  LoopStatement,
  Size,
  Value,
} from '../../compiler/schedule/types.ts';
import type { Expression, IndexExpression } from '../../compiler/graph/types.ts';

// ------------------------------------------------------------------------------------------------------------- integers

export const i = (value: number | string | IntegerExpression): IntegerExpression => {
  if (typeof value === 'number') return { kind: 'integer', value };
  if (typeof value === 'string') return { kind: 'variable', name: value };
  return value;
};
export const plus = (...terms: readonly (number | string | IntegerExpression)[]): IntegerExpression => ({
  kind: 'sum',
  terms: terms.map(i),
});
export const times = (
  left: number | string | IntegerExpression,
  right: number | string | IntegerExpression,
): IntegerExpression => ({
  kind: 'product',
  left: i(left),
  right: i(right),
});

// ---------------------------------------------------------------------------------------------------------------- reals

export const v = (value: number | string | Value): Value => {
  if (typeof value === 'number') return { kind: 'number', value };
  if (typeof value === 'string') return { kind: 'variable', name: value };
  return value;
};
export const load = (buffer: string, offset: number | string | IntegerExpression): Value => ({
  kind: 'load',
  buffer,
  offset: i(offset),
});
export const unary = (
  operator: Extract<Value, { kind: 'unary' }>['operator'],
  operand: number | string | Value,
): Value => ({
  kind: 'unary',
  operator,
  operand: v(operand),
});
export const binary = (
  operator: Extract<Value, { kind: 'binary' }>['operator'],
  left: number | string | Value,
  right: number | string | Value,
): Value => ({ kind: 'binary', operator, left: v(left), right: v(right) });
export const compare = (
  operator: Extract<Condition, { kind: 'compare' }>['operator'],
  left: number | string | Value,
  right: number | string | Value,
): Condition => ({ kind: 'compare', operator, left: v(left), right: v(right) });

// ----------------------------------------------------------------------------------------------------------- statements

export const loop = (
  index: string,
  to: number | string | IntegerExpression,
  ...body: readonly LoopStatement[]
): LoopStatement => ({
  kind: 'for',
  index,
  from: i(0),
  to: i(to),
  step: 1,
  body,
});
export const store = (
  buffer: string,
  offset: number | string | IntegerExpression,
  value: number | string | Value,
  add = false,
): LoopStatement => ({
  kind: 'store',
  buffer,
  offset: i(offset),
  value: v(value),
  add,
});
export const accumulator = (name: string, initial: number): LoopStatement => ({
  kind: 'accumulator',
  name,
  initial: v(initial),
});
export const set = (name: string, value: string | Value): LoopStatement => ({
  kind: 'set',
  name,
  value: v(value),
});
export const constant = (name: string, value: number | string | Value): LoopStatement => ({
  kind: 'constant',
  name,
  value: v(value),
});

/** Buffers as `name`, `name!` (written) with `: double` or `: integer` after it. */
export function loopFunction(
  name: string,
  buffers: readonly string[],
  integers: readonly string[],
  body: readonly LoopStatement[],
  more: Partial<LoopFunction> = {},
): LoopFunction {
  return {
    name,
    buffers: buffers.map((text) => {
      const [label = '', element = 'real'] = text.split(': ');
      return {
        name: label.replace('!', ''),
        element: element as ElementType,
        access: label.endsWith('!') ? 'write' : 'read',
      };
    }),
    integers,
    body,
    computes: [],
    ...more,
  };
}

// ---------------------------------------------------------------------------------------------------------------- graph

export const span = (text: string, part: string, path = 'net.dsl'): Span => ({
  source: { path, text },
  start: text.indexOf(part),
  end: text.indexOf(part) + part.length,
});

export const size = (constant: number, coefficient = 0, symbol = 'n'): Size =>
  coefficient === 0 ? { constant } : { constant, symbol, coefficient };

export const at = (...names: readonly (string | number)[]): IndexExpression[] =>
  names.map((name) =>
    typeof name === 'number'
      ? { terms: [], constant: name }
      : { terms: [{ coefficient: 1, atom: { kind: 'index', name } }], constant: 0 },
  );
export const read = (tensor: string, ...names: readonly (string | number)[]): Expression => ({
  kind: 'read',
  tensor,
  at: at(...names),
});
export const operation = (
  operator: Extract<Expression, { kind: 'binary' }>['operator'],
  left: Expression,
  right: Expression,
): Expression => ({
  kind: 'binary',
  operator,
  left,
  right,
});

export function statement(
  target: string,
  written: readonly LoopIndex[],
  reduced: readonly LoopIndex[],
  body: Expression,
  where: Span,
  more: Partial<Statement> = {},
): Statement {
  return {
    target,
    indices: [...written, ...reduced],
    write: at(...written.map(({ name }) => name)),
    combine: reduced.length === 0 ? 'assign' : 'sum',
    body,
    phase: 'forward',
    origin: { span: where, calls: [], history: [] },
    ...more,
  };
}

export function tensor(
  name: string,
  role: Role,
  axes: readonly Extent[],
  where: Span,
  more: {
    element?: ElementType;
    initializer?: Initializer;
    axisNames?: readonly string[];
    range?: { least: number; greatest: number };
  } = {},
): Tensor {
  return {
    name,
    role,
    axes,
    axisNames: axes.map((axis) => (typeof axis === 'string' ? axis : '')),
    element: 'real',
    span: where,
    ...more,
  };
}

export const buffer = (of: Tensor, pool: Buffer['pool'], elements: Size, offset: Size): Buffer => ({
  tensor: of.name,
  role: of.role,
  element: of.element,
  axes: of.axes,
  size: elements,
  pool,
  offset,
});
