/**
 * What an expression of the language stands for while it is elaborated.
 *
 * A value of rank r is a lambda: `axes` are its r arguments and `body` the element at them, so `relu(x)` of a matrix is
 * λ i j. relu(x[i, j]), and an indexed expression such as `x[n, i]` is a value of rank 0 whose body names the indices of
 * its statement. Whole-tensor and indexed expressions, fns and layers so use one mechanism: substitution in the body.
 *
 * While a statement is elaborated, loop indices have unique provisional names (`i#3`, see variables.ts), and reductions
 * are reads of provisional tensors (`#5`, see elaboration.ts). Lowering gives both their final names.
 */
import { constant, extentValue, indexOf, indexValue, read } from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, Tensor } from '../graph/types.ts';
import type { IndexVariables } from './variables.ts';

export interface Axis {
  /** The provisional loop index that stands for the axis in `body`. */
  readonly variable: string;
  readonly extent: Extent;
}

export interface Value {
  readonly kind: 'value';
  /** Empty: a scalar, or one element of an indexed expression. */
  readonly axes: readonly Axis[];
  readonly body: Expression;
  /** The number, if it is known at compile time. Rank 0 only. */
  readonly constant?: number;
  /** The value as an index expression, if it is one: an index, a whole number, an element of an integer tensor. */
  readonly index?: IndexExpression;
  /** The tensor, if the value is just a whole tensor. */
  readonly tensor?: string;
}

/** Stands for what could not be elaborated and has been reported; whatever is made of it is silent. */
export interface ErrorValue {
  readonly kind: 'error';
}

export type Result = Value | ErrorValue;

export const errorValue: ErrorValue = { kind: 'error' };

/** A number known at compile time. `name` is how the user wrote it, kept for printing (`pi`, `1e-8`). */
export function constantValue(value: number, name?: string): Value {
  const index = Number.isSafeInteger(value) ? { index: { terms: [], constant: value } } : {};
  return { kind: 'value', axes: [], body: constant(value, name), constant: value, ...index };
}

/** A size as a number: a constant, or the run-time size. */
export function sizeValue(extent: Extent): Value {
  if (typeof extent === 'number') return constantValue(extent);
  return { kind: 'value', axes: [], body: extentValue(extent) };
}

/** A loop index as a number. */
export function indexAsValue(variable: string): Value {
  const index = indexOf(variable);
  return { kind: 'value', axes: [], body: indexValue(index), index };
}

/** A whole tensor: λ i j ... . T[i, j, ...], with fresh indices that are called as the tensor's axes are. */
export function tensorValue(tensor: Tensor, variables: IndexVariables): Value {
  const axes = tensor.axes.map((extent, axis): Axis => {
    const declared = tensor.axisNames[axis] ?? '';
    const name = tensor.role === 'intermediate' || typeof extent === 'string' ? declared : '';
    return { variable: variables.fresh(name, tensor.span, extent), extent };
  });
  const at = axes.map(({ variable }) => indexOf(variable));
  const integer = tensor.element === 'integer' && axes.length === 0;
  const index = integer
    ? {
        index: {
          terms: [{ coefficient: 1, atom: { kind: 'fetch', tensor: tensor.name, at: [] } as const }],
          constant: 0,
        },
      }
    : {};
  return { kind: 'value', axes, body: read(tensor.name, at), tensor: tensor.name, ...index };
}

/** The value as an index expression, if it is whole by construction. */
export function asIndex(value: Value): IndexExpression | undefined {
  return value.axes.length === 0 ? value.index : undefined;
}

/** `[n, 784]` */
export function shapeText(axes: readonly { readonly extent: Extent }[]): string {
  return `[${axes.map(({ extent }) => extent).join(', ')}]`;
}
