/**
 * Derivatives as terms of a model: `grad(y[n, o], x[n, i])`, `grad(loss, W)`, `jacobian(z, x)`, `hessian(f, x)`,
 * `jvp(z, x = v)`. Here they become a node of the graph, of a tensor by tensors; calculus/derivatives.ts expands it.
 */
import type { Span } from '../diagnostics/source.ts';
import {
  constantIndex,
  freeIndices,
  isConstantIndex,
  indexOf,
  isPlainIndex,
  read,
  substituteIndices,
} from '../graph/expressions.ts';
import type { Derivative, Expression, Read, Tensor } from '../graph/types.ts';
import type { Argument, Call } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { elaborateReference } from './names.ts';
import { orderedIndices } from './reductions.ts';
import type { Scope } from './scope.ts';
import { errorValue, shapeText, tensorValue } from './values.ts';
import type { Axis, Result, Value } from './values.ts';

type Form = (call: Call, given: readonly Given[], scope: Scope, elaboration: Elaboration) => Result;

/** An argument, elaborated. */
interface Given {
  readonly argument: Argument;
  readonly value: Value;
}

const forms: Readonly<Record<string, Form>> = {
  grad: (call, given, _, elaboration) => partial(call, given, elaboration, gradient),
  jacobian: (call, given, _, elaboration) => partial(call, given, elaboration, jacobian),
  hessian: (call, given, _, elaboration) => partial(call, given, elaboration, hessian),
  jvp: alongDirection,
};

const examples: Readonly<Record<string, string>> = {
  grad: '`grad(loss, W)`, `grad(z[n, o], x[n, i])`',
  jacobian: '`jacobian(z, x)`',
  hessian: '`hessian(f, x)`',
  jvp: '`jvp(z, x = v)`, with a direction `v` of the shape of `x`',
};

export const derivativeNames: readonly string[] = Object.keys(forms);

export function elaborateDerivative(call: Call, scope: Scope, elaboration: Elaboration): Result {
  const name = call.callee.text;
  const form = forms[name];
  if (form === undefined || !mayStand(call, elaboration)) return errorValue;
  if (call.binders) return misused(call, call.span, `\`${name}\` binds no index`, elaboration, 'E205');
  const given: Given[] = [];
  for (const argument of call.arguments) {
    const value = elaborateExpression(argument.value, scope, elaboration);
    if (value.kind === 'error') return errorValue;
    given.push({ argument, value });
  }
  return form(call, given, scope, elaboration);
}

/** Reports E610 where there is no program that could be differentiated, or it is not complete. */
function mayStand(call: Call, elaboration: Elaboration): boolean {
  const name = call.callee.text;
  const { frame, builder } = elaboration;
  const place =
    frame === undefined || builder.phase !== 'forward'
      ? 'stands in a model or a layer only'
      : frame.step
        ? 'cannot stand in a `scan`, of which all steps are needed first'
        : frame.inner
          ? 'cannot stand in an index'
          : undefined;
  if (place === undefined) return true;
  elaboration.error('E610', call.span, `\`${name}\` ${place}`, {
    hint: frame?.step
      ? 'take the derivative in a statement after the scan'
      : 'give it a statement of its own in the model',
  });
  return false;
}

function misused(
  { callee: { text } }: Call,
  span: Span,
  message: string,
  elaboration: Elaboration,
  code: 'E205' | 'E611' = 'E611',
  hint = examples[text],
): Result {
  elaboration.error(code, span, message, hint === undefined ? {} : { hint });
  return errorValue;
}

// --------------------------------------------------------------------------------------------------------- grad(y, x)

/** What is differentiated, by what. */
interface Pair {
  readonly call: Call;
  readonly y: Given;
  readonly x: Given;
  /** The tensor that x is, or is an element of. */
  readonly tensor: Tensor;
}

function partial(
  call: Call,
  given: readonly Given[],
  elaboration: Elaboration,
  form: (pair: Pair, elaboration: Elaboration) => Result,
): Result {
  const name = call.callee.text;
  const [y, x] = given;
  if (y === undefined || x === undefined || given.length > 2 || given.some(({ argument }) => argument.name))
    return misused(
      call,
      call.span,
      `\`${name}\` takes what is differentiated, and by what`,
      elaboration,
      'E205',
    );
  const tensor = tensorOf(x.value, elaboration);
  if (tensor === undefined) {
    const message = `\`${name}\` is by a tensor that has a name, or by one element of it`;
    return misused(
      call,
      x.argument.value.span,
      message,
      elaboration,
      'E611',
      'give what it is by a statement of its own',
    );
  }
  return isReal(y, call, elaboration) && isReal(x, call, elaboration)
    ? form({ call, y, x, tensor }, elaboration)
    : errorValue;
}

/** The tensor that a value is, or is an element of; not one that is being computed. */
function tensorOf({ body, axes, tensor }: Value, { builder }: Elaboration): Tensor | undefined {
  if (body.kind !== 'read' || body.outside !== undefined) return undefined;
  return axes.length > 0 && tensor === undefined ? undefined : builder.tensor(body.tensor);
}

/** Reports E611 for integers, which have no derivative. */
function isReal({ argument, value }: Given, call: Call, elaboration: Elaboration): boolean {
  const tensor = value.body.kind === 'read' ? elaboration.builder.tensor(value.body.tensor) : undefined;
  const definition = value.body.kind === 'read' ? elaboration.definitions.get(value.body.tensor) : undefined;
  const isPlace = definition?.combine === 'argmax' || definition?.combine === 'argmin';
  if (tensor?.element !== 'integer' && !isPlace) return true;
  misused(
    call,
    argument.value.span,
    'this holds integers, which have no derivative',
    elaboration,
    'E611',
    'differentiate what is computed from real numbers, by real numbers',
  );
  return false;
}

/** grad: of one element by one element; whole, of a number or of one number a row. */
function gradient({ call, y, x, tensor }: Pair, elaboration: Elaboration): Result {
  const { value } = y;
  if (x.value.axes.length === 0) {
    if (value.axes.length === 0) return derivative(value.body, x.value.body, call, elaboration);
    const hint = `give \`${tensor.name}\` whole too, or write one element on both sides: \`grad(z[n, o], x[n, i])\``;
    const message = `this has the shape ${shapeText(value.axes)}, and what it is differentiated by is one element`;
    return misused(call, y.argument.value.span, message, elaboration, 'E611', hint);
  }
  const further = value.axes.filter(({ extent }) => typeof extent === 'number' && extent !== 1);
  if (further.length > 0) {
    const message = `this has the shape ${shapeText(value.axes)}: it is no single number, nor one a row`;
    const hint =
      'sum it, `grad(sum(y), x)`, or take each element by each: `grad(y[n, o], x[n, i])`, `jacobian(y, x)`';
    return misused(call, y.argument.value.span, message, elaboration, 'E611', hint);
  }
  if (value.axes.length === 0 && freeIndices(value.body).size > 0) {
    const message = `\`${tensor.name}\` is read without indices, but what is differentiated is one element`;
    return misused(
      call,
      x.argument.value.span,
      message,
      elaboration,
      'E611',
      `read it with its indices: \`grad(z[n, o], x[n, i])\``,
    );
  }
  return whole(
    { call, y, x, tensor },
    elaboration,
    value.axes.filter(({ extent }) => extent !== 1),
  );
}

/** jacobian: each element of y by each of x, in one row of both where the first axis of both is open. */
function jacobian({ call, y, x, tensor }: Pair, elaboration: Elaboration): Result {
  const bare = [y, x].find(({ value }) => value.axes.length === 0 && freeIndices(value.body).size > 0);
  if (bare) {
    const message = '`jacobian` takes whole tensors, and this is one element';
    return misused(
      call,
      bare.argument.value.span,
      message,
      elaboration,
      'E611',
      'of elements it is `grad(z[n, o], x[n, i])`',
    );
  }
  return whole({ call, y, x, tensor }, elaboration, y.value.axes);
}

/**
 * The derivative of a whole tensor by a whole tensor: the shown axes of y, then those of x. An open first axis of both is
 * shared, where y has `rows`: one value, or several, for each.
 */
function whole({ call, y, x }: Pair, elaboration: Elaboration, shown: readonly Axis[], rows = true): Value {
  const [row] = y.value.axes;
  const [first] = x.value.axes;
  const isShared = rows && typeof row?.extent === 'string' && row.extent === first?.extent;
  const places = new Map(isShared && first ? [[first.variable, indexOf(row.variable)]] : []);
  // an axis of size 1 that is not shown is read at its only place
  const only = new Map(
    y.value.axes.flatMap((axis) =>
      shown.includes(axis) ? [] : [[axis.variable, { terms: [], constant: 0 }]],
    ),
  );
  const element = substituteIndices(y.value.body, only);
  const { body } = derivative(element, substituteIndices(x.value.body, places), call, elaboration);
  const own = isShared ? x.value.axes.slice(1) : x.value.axes;
  return { kind: 'value', axes: [...shown, ...own], body };
}

/** hessian: the second derivatives of a number, or of one number a row, by two elements of x. */
function hessian({ call, y, x, tensor }: Pair, elaboration: Elaboration): Result {
  if (x.value.axes.length === 0) {
    const message = '`hessian` takes a whole tensor, and this is one element';
    return misused(
      call,
      x.argument.value.span,
      message,
      elaboration,
      'E611',
      'of elements it is `grad(grad(f, x[i]), x[j])`',
    );
  }
  const first = gradient({ call, y, x, tensor }, elaboration);
  if (first.kind === 'error') return errorValue;
  const again = tensorValue(tensor, elaboration.variables);
  // the rows of the first derivative of a number are those of x
  const hasRows = y.value.axes.some(({ extent }) => typeof extent === 'string');
  return whole(
    { call, y: { ...y, value: first }, x: { ...x, value: again }, tensor },
    elaboration,
    first.axes,
    hasRows,
  );
}

/** The derivative of one element by another, as a term: a tensor of its own with the indices of both. */
function derivative(y: Expression, x: Expression, call: Call, elaboration: Elaboration): Value {
  if (x.kind !== 'read') throw new Error('a derivative is by an element of a tensor');
  return defined({ of: elementOf(y, elaboration), by: [x] }, call, elaboration);
}

function defined(
  node: Pick<Derivative, 'of' | 'by' | 'along'>,
  { callee, span }: Call,
  elaboration: Elaboration,
): Value {
  const body: Derivative = { kind: 'derivative', ...node, span };
  const free = orderedIndices(body, elaboration);
  const label = callee.text === 'jvp' ? 'jvp' : 'grad';
  const { id } = elaboration.define({ combine: 'assign', label, free, bound: [], body });
  return { kind: 'value', axes: [], body: readAt(id, free) };
}

const readAt = (tensor: string, variables: readonly string[]): Read =>
  read(
    tensor,
    variables.map((variable) => indexOf(variable)),
  );

/** A body as an element of a tensor, at plain indices, each once, but for axes of size 1. */
function elementOf(body: Expression, elaboration: Elaboration): Read {
  if (body.kind === 'read' && body.outside === undefined) {
    const axes = elaboration.builder.tensor(body.tensor)?.axes ?? [];
    const varying = body.at.filter((index, axis) => axes[axis] !== 1 || isConstantIndex(index) !== 0);
    const names = varying.map(isPlainIndex);
    if (!names.includes(undefined) && new Set(names).size === names.length) return body;
  }
  const free = orderedIndices(body, elaboration);
  const { id } = elaboration.define({ combine: 'assign', label: 'of', free, bound: [], body });
  return readAt(id, free);
}

// -------------------------------------------------------------------------------------------------------- jvp(y, x = v)

function alongDirection(call: Call, given: readonly Given[], scope: Scope, elaboration: Elaboration): Result {
  const [y, ...directions] = given;
  const sound = directions.length > 0 && directions.every(({ argument }) => argument.name);
  if (y === undefined || y.argument.name || !sound) {
    const message = '`jvp` takes what is differentiated, and directions by the names of tensors';
    return misused(call, call.span, message, elaboration, 'E205');
  }
  if (!isReal(y, call, elaboration)) return errorValue;
  const by: Read[] = [];
  const along: Read[] = [];
  for (const direction of directions) {
    const pair = directionOf(direction, call, scope, elaboration);
    if (pair === undefined) return errorValue;
    if (by.some(({ tensor }) => tensor === pair.by.tensor)) {
      const { name = call.callee } = direction.argument;
      const message = `\`${name.text}\` is given two directions`;
      return misused(
        call,
        name.span,
        message,
        elaboration,
        'E205',
        'a tensor varies in one direction: add them',
      );
    }
    by.push(pair.by);
    along.push(pair.along);
  }
  const { body } = defined({ of: elementOf(y.value.body, elaboration), by, along }, call, elaboration);
  return { kind: 'value', axes: y.value.axes, body };
}

/** A tensor taken whole: see graph/types.ts. */
const wholeRead = (tensor: string, rank: number): Read =>
  read(
    tensor,
    Array.from({ length: rank }, () => constantIndex(0)),
    0,
  );

function directionOf(
  { argument, value }: Given,
  call: Call,
  scope: Scope,
  elaboration: Elaboration,
): { readonly by: Read; readonly along: Read } | undefined {
  const { name } = argument;
  if (name === undefined) return undefined;
  const x = elaborateReference({ kind: 'reference', name, span: name.span }, scope, elaboration);
  if (x.kind === 'error') return undefined;
  const tensor = tensorOf(x, elaboration);
  if (tensor === undefined || x.tensor === undefined) {
    misused(call, name.span, `\`${name.text}\` is no tensor that could vary`, elaboration);
    return undefined;
  }
  if (
    !isReal(
      { argument: { ...argument, value: { kind: 'reference', name, span: name.span } }, value: x },
      call,
      elaboration,
    )
  )
    return undefined;
  const { span } = argument.value;
  const isNumber = value.axes.length === 0;
  const isSame =
    value.axes.length === tensor.axes.length &&
    value.axes.every(({ extent }, axis) => extent === tensor.axes[axis]);
  if (!isSame && !isNumber) {
    const [wanted, found] = [shapeText(tensor.axes.map((extent) => ({ extent }))), shapeText(value.axes)];
    const message = `the direction of \`${name.text}\` must have its shape, ${wanted}, but this is ${found}`;
    misused(call, span, message, elaboration, 'E611');
    return undefined;
  }
  const own = new Set(value.axes.map(({ variable }) => variable));
  if ([...freeIndices(value.body)].some((variable) => !own.has(variable))) {
    const message = 'a direction is a whole tensor, and this is one element';
    misused(call, span, message, elaboration, 'E611', `give it without indices: \`${name.text} = v\``);
    return undefined;
  }
  const by = wholeRead(tensor.name, tensor.axes.length);
  if (value.tensor !== undefined && isSame) return { by, along: wholeRead(value.tensor, tensor.axes.length) };
  const free = isSame
    ? value.axes.map(({ variable }) => variable)
    : tensor.axes.map((extent) => elaboration.variables.fresh('', span, extent));
  const { id } = elaboration.define({
    combine: 'assign',
    label: 'direction',
    free,
    bound: [],
    body: value.body,
  });
  return { by, along: wholeRead(id, free.length) };
}
