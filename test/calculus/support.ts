/** Programs put together by hand, their gradients, and the numbers to hold them against. */
import { differentiate, tangent } from '../../compiler/calculus/index.ts';
import type { DifferentiateOptions } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import {
  add,
  freshName,
  indexOf,
  isPlainIndex,
  multiply,
  read,
  zero,
} from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printStatement } from '../../compiler/graph/print.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexExpression,
  LoopIndex,
  Program,
  Statement,
  Tensor,
} from '../../compiler/graph/types.ts';

const span = { source: { path: 'test.dsl', text: '' }, start: 0, end: 0 };

export const parameter = (name: string, ...axes: Extent[]): Tensor => ({
  name,
  role: 'parameter',
  axes,
  axisNames: axes.map(() => ''),
  element: 'real',
  initializer: { kind: 'constant', value: 0 },
  span,
});

export const input = (name: string, ...axes: Extent[]): Tensor => ({
  name,
  role: 'input',
  axes,
  axisNames: axes.map(() => ''),
  element: 'real',
  span,
});

export const integers = (name: string, greatest: number, ...axes: Extent[]): Tensor => ({
  ...input(name, ...axes),
  element: 'integer',
  range: { least: 0, greatest },
});

/** `{ i: 3, j: 'n' }` as loop indices, in that order. */
export function loops(extents: Readonly<Record<string, Extent>>): LoopIndex[] {
  return Object.entries(extents).map(([name, extent]) => ({ name, extent }));
}

/** A place: names are indices, the rest is taken as it is. */
export const at = (...places: readonly (string | IndexExpression)[]): IndexExpression[] =>
  places.map((place) => (typeof place === 'string' ? indexOf(place) : place));

export interface Line {
  readonly target: string;
  readonly indices?: Readonly<Record<string, Extent>>;
  /** The reduced ones. */
  readonly over?: Readonly<Record<string, Extent>>;
  readonly combine?: Combine;
  readonly body: Expression;
}

/** A program of statements that write their first indices; the last one is the loss. */
export function program(tensors: readonly Tensor[], lines: readonly Line[]): Program {
  const table = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const statements = lines.map(({ target, indices = {}, over = {}, combine, body }): Statement => {
    const written = loops(indices);
    const isPlace = combine === 'argmax' || combine === 'argmin';
    const element = isPlace ? 'integer' : written.length === 0 ? 'double' : 'real';
    const axes = written.map((index) => index.extent);
    table.set(target, {
      name: target,
      role: 'intermediate',
      axes,
      axisNames: axes.map(() => ''),
      element,
      span,
    });
    return {
      target,
      indices: [...written, ...loops(over)],
      write: written.map((index) => indexOf(index.name)),
      combine: combine ?? (Object.keys(over).length > 0 ? 'sum' : 'assign'),
      body,
      phase: 'forward',
      origin: { span, calls: [], history: [] },
    };
  });
  const loss = lines.at(-1)?.target ?? '';
  return { name: 'Test', tensors: table, statements, outputs: [], loss, metrics: [], gradients: new Map() };
}

/** The gradient program; throws if anything was reported. */
export function gradientOf(source: Program, options: DifferentiateOptions = {}): Program {
  const diagnostics = new Diagnostics();
  const result = differentiate(source, diagnostics, options);
  const errors = diagnostics.list.filter((diagnostic) => diagnostic.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((diagnostic) => diagnostic.message).join('; '));
  return result;
}

/** The backward statements, and companions of the forward ones, one line each. */
export function backwardLines(source: Program, options: DifferentiateOptions = {}): string[] {
  const result = gradientOf(source, options);
  const known = new Set(source.statements.map((statement) => statement.target));
  return result.statements
    .filter((statement) => !known.has(statement.target))
    .map((statement) => printStatement(statement, result));
}

export type Values = Readonly<Record<string, ArrayLike<number>>>;
export type Extents = Readonly<Record<string, number>>;

/** Parameter -> gradient. */
export function gradientValues(
  gradient: Program,
  tensors: Values,
  extents: Extents = {},
): Map<string, Float64Array> {
  const values = interpret(gradient, { tensors, extents });
  return new Map(
    [...gradient.gradients].map(([name, cotangent]) => [name, values.get(cotangent) ?? new Float64Array()]),
  );
}

export function lossValue(source: Program, tensors: Values, extents: Extents = {}): number {
  return interpret(source, { tensors, extents }).get(source.loss ?? '')?.[0] ?? NaN;
}

export interface Slope {
  readonly value: number;
  /** How far it may be from the derivative: what halving the step changed. */
  readonly error: number;
}

/** ∂loss/∂parameter by central differences, extrapolated to step 0 (Ridders 1982: the error falls with h⁶). */
export function finiteDifferences(
  source: Program,
  name: string,
  tensors: Values,
  extents: Extents = {},
): Slope[] {
  const values = Float64Array.from(tensors[name] ?? []);
  const slope = (element: number, width: number): number => {
    const moved = (by: number): number => {
      const changed = Float64Array.from(values);
      changed[element] = (changed[element] ?? 0) + by;
      return lossValue(source, { ...tensors, [name]: changed }, extents);
    };
    return (moved(width) - moved(-width)) / (2 * width);
  };
  return Array.from(values, (_, element) => {
    const [coarse, middle, fine] = [8e-3, 4e-3, 2e-3].map((width) => slope(element, width)) as [
      number,
      number,
      number,
    ];
    const first = (4 * middle - coarse) / 3;
    const second = (4 * fine - middle) / 3;
    return { value: (16 * second - first) / 15, error: Math.abs(second - first) };
  });
}

/** The derivative of the loss along a direction in the space of all parameters, in forward mode. */
export function directionalDerivative(
  source: Program,
  tensors: Values,
  directions: Values,
  extents: Extents = {},
): number {
  const { program: forward, tangents } = tangent(source, Object.keys(directions));
  const given = Object.entries(directions).map(
    ([name, values]) => [tangents.get(name) ?? '', values] as const,
  );
  const values = interpret(forward, { tensors: { ...tensors, ...Object.fromEntries(given) }, extents });
  return values.get(tangents.get(source.loss ?? '') ?? '')?.[0] ?? 0;
}

/** The same program with the loss Σ over all parameters of ⟨gradient, the input `v` + parameter⟩. */
export function alongGradient(gradient: Program): Program {
  const tensors = new Map(gradient.tensors);
  const statements = [...gradient.statements];
  let total: Expression = zero;
  const add1 = (target: string, indices: LoopIndex[], combine: Combine, body: Expression): void => {
    tensors.set(target, {
      name: target,
      role: 'intermediate',
      axes: [],
      axisNames: [],
      element: 'double',
      span,
    });
    statements.push({
      target,
      indices,
      write: [],
      combine,
      body,
      phase: 'forward',
      origin: { span, calls: [], history: [] },
    });
  };
  for (const [name, cotangent] of gradient.gradients) {
    const axes = tensors.get(name)?.axes ?? [];
    tensors.set(`v${name}`, input(`v${name}`, ...axes));
    const indices = axes.map((extent, axis) => ({ name: `a${axis}`, extent }));
    const place = indices.map((index) => indexOf(index.name));
    const body = multiply(read(cotangent, place), read(`v${name}`, place));
    const part = freshName(`along_${name}`, tensors);
    add1(part, indices, axes.length > 0 ? 'sum' : 'assign', body);
    total = add(total, read(part));
  }
  const loss = freshName('along', tensors);
  add1(loss, [], 'assign', total);
  return { ...gradient, tensors, statements, loss, gradients: new Map() };
}

/** True if all places of all writes are plain: no scatter. */
export const isGather = (statement: Statement): boolean =>
  statement.write.every((index) => isPlainIndex(index) !== undefined);
