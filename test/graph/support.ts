/** Short ways to write statements by hand in tests. */
import { ProgramBuilder } from '../../compiler/graph/builder.ts';
import { constantIndex, indexOf, read } from '../../compiler/graph/expressions.ts';
import type {
  Expression,
  Extent,
  IndexExpression,
  LoopIndex,
  Origin,
  Program,
  Role,
  Statement,
  Tensor,
} from '../../compiler/graph/types.ts';

const span = { source: { path: 'test.dsl', text: '' }, start: 0, end: 0 };
export const origin: Origin = { span, calls: [], history: [] };

export function tensor(
  name: string,
  role: Role,
  axes: readonly Extent[],
  more: Partial<Tensor> = {},
): Tensor {
  const initializer = role === 'parameter' || role === 'state' ? { initializer: zeros } : {};
  return { name, role, axes, axisNames: axes.map(() => ''), element: 'real', span, ...initializer, ...more };
}

const zeros = { kind: 'constant', value: 0 } as const;

/** An index expression: a name is a loop index, a number itself. */
export type Place = string | number | IndexExpression;

export function place(index: Place): IndexExpression {
  if (typeof index === 'string') return indexOf(index);
  return typeof index === 'number' ? constantIndex(index) : index;
}

/** x[n, i - 1] else outside */
export function at(name: string, indices: readonly Place[] = [], outside?: number): Expression {
  return read(name, indices.map(place), outside);
}

/** Loop indices from an object: loops({ n: 'n', i: 3 }). */
export function loops(extents: Readonly<Record<string, Extent>>): LoopIndex[] {
  return Object.entries(extents).map(([name, extent]) => ({ name, extent }));
}

/** A statement that writes its first `rank` indices (default: assignment of all). */
export function statement(
  target: string,
  extents: Readonly<Record<string, Extent>>,
  body: Expression,
  more: Partial<Statement> & { readonly rank?: number } = {},
): Statement {
  const indices = loops(extents);
  const { rank = indices.length, ...rest } = more;
  const write = indices.slice(0, rank).map((index) => indexOf(index.name));
  return { target, indices, write, combine: 'assign', body, phase: 'forward', origin, ...rest };
}

/** A program of given tensors and statements; targets are declared `real`, or as `targets` says. */
export function program(
  given: readonly Tensor[],
  statements: readonly Statement[],
  more: Partial<Program> & { readonly targets?: Readonly<Record<string, Partial<Tensor>>> } = {},
): Program {
  const { targets = {}, ...rest } = more;
  const builder = new ProgramBuilder('Test');
  for (const declared of given) builder.declare(declared);
  for (const made of statements) builder.add(made, { element: 'real', ...targets[made.target] });
  return { ...builder.build(), ...rest };
}
