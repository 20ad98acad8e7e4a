/** Declarations: dims, inputs, parameters. */
import { textOf } from '../diagnostics/source.ts';
import type { Span } from '../diagnostics/source.ts';
import type { Extent, Tensor } from '../graph/types.ts';
import type {
  DimDeclaration,
  InputDeclaration,
  ParamDeclaration,
  Requirement,
  StateDeclaration,
  SyntaxAxis,
  SyntaxExpression,
} from '../syntax/tree.ts';
import { knownNumbers } from './blame.ts';
import { evaluateConstant } from './constants.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';
import { didYouMean } from './scope.ts';
import { elaborateSize, elaborateWhole } from './sizes.ts';
import { elaborateInitializer } from './training/initializers.ts';

/** The open dimension, once an input has named it. */
export interface OpenDimension {
  name?: string;
  span?: Span;
}

export function declareDim(item: DimDeclaration, scope: Scope, elaboration: Elaboration): void {
  const extent = elaborateWhole(item.value, scope, elaboration, {
    what: `dim \`${item.name.text}\``,
    least: 0,
  });
  const { span } = item.name;
  scope.define(
    item.name.text,
    extent === undefined ? { kind: 'error', span, used: false } : { kind: 'size', extent, span, used: false },
  );
}

/** True if what is required holds of the numbers known here; else E309. */
export function isMet({ condition, message }: Requirement, scope: Scope, elaboration: Elaboration): boolean {
  const what = 'what is required';
  const value = evaluateConstant(condition, scope, elaboration, { what, code: 'E309' });
  if (value === undefined) return false;
  if (value !== 0) return true;
  const text = textOf(condition.span);
  // of a layer of the library the note at the condition tells them
  const numbers = condition.span.source.library ? '' : knownNumbers(text, scope);
  elaboration.error('E309', condition.span, `${message}: \`${text}\` does not hold${numbers}`);
  return false;
}

/** A parameter or a state: a tensor of fixed sizes with a first value. */
export function declareKept(
  item: ParamDeclaration | StateDeclaration,
  tensorName: string,
  scope: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const { text, span } = item.name;
  const role = item.kind === 'param' ? 'parameter' : 'state';
  const axes: Extent[] = [];
  let sound = true;
  for (const axis of item.axes) {
    const extent = fixedAxis(axis, role, scope, elaboration);
    if (extent === undefined) sound = false;
    else axes.push(extent);
  }
  const given = givenInitializer(item.initializer, scope);
  const evaluate = (value: ParamDeclaration['initializer']) =>
    evaluateConstant(value, given.scope, elaboration);
  if (!sound) {
    scope.define(text, { kind: 'error', span, used: false });
    return undefined;
  }
  const tensor: Tensor = {
    name: tensorName,
    role,
    axes,
    axisNames: item.axes.map(axisName),
    element: 'real',
    initializer: elaborateInitializer(given.syntax, axes, { evaluate, diagnostics: elaboration }),
    span,
  };
  elaboration.builder.declare(tensor);
  scope.define(text, { kind: 'tensor', tensor, span, used: false });
  return tensor;
}

/** What stands after `~`, or what the call of the layer says where that is the name of a parameter of the layer. */
export function givenInitializer(
  syntax: SyntaxExpression,
  scope: Scope,
): { readonly syntax: SyntaxExpression; readonly scope: Scope } {
  const entry = syntax.kind === 'reference' ? scope.lookup(syntax.name.text) : undefined;
  if (entry?.kind !== 'initializer') return { syntax, scope };
  entry.used = true;
  return entry;
}

/** The size of an axis, known at compile time. */
function fixedAxis(
  axis: SyntaxAxis,
  role: 'parameter' | 'state',
  scope: Scope,
  elaboration: Elaboration,
): number | undefined {
  if (axis.kind !== 'size') {
    elaboration.error('E304', axis.span, `every axis of a ${role} needs a size`, {
      hint: '`..` and `_` are for the tensors that a layer takes',
    });
    return undefined;
  }
  const extent = elaborateSize(axis.value, scope, elaboration);
  if (typeof extent !== 'string') return extent;
  elaboration.error('E304', axis.span, `\`${extent}\` is the open dimension, which a ${role} cannot have`, {
    hint: `${role}s have sizes known at compile time`,
  });
  return undefined;
}

export function declareInput(
  item: InputDeclaration,
  scope: Scope,
  elaboration: Elaboration,
  open: OpenDimension,
): void {
  const { text, span } = item.name;
  const axes: Extent[] = [];
  let sound = true;
  for (const axis of item.axes) {
    const extent = inputAxis(axis, scope, elaboration, open);
    if (extent === undefined) sound = false;
    else axes.push(extent);
  }
  if (sound && !openComesFirst(text, axes, item.axes, open, elaboration)) sound = false;
  const range = item.range && inputRange(item.range, scope, elaboration);
  if (item.range && range === undefined) sound = false;
  const fallback = item.default && inputDefault(item.default, range, text, scope, elaboration);
  if (item.default && fallback === undefined) sound = false;
  if (!sound) {
    scope.define(text, { kind: 'error', span, used: false });
    return;
  }
  const tensor: Tensor = {
    name: text,
    role: 'input',
    axes,
    axisNames: item.axes.map(axisName),
    element: range ? 'integer' : 'real',
    ...(range ? { range } : {}),
    ...(fallback === undefined ? {} : { default: fallback }),
    span,
  };
  elaboration.builder.declare(tensor);
  scope.define(text, { kind: 'tensor', tensor, span, used: false });
}

/** The data of a batch are rows, one after the other: the open dimension is the first axis, and only that (E305). */
function openComesFirst(
  name: string,
  axes: readonly Extent[],
  declared: readonly SyntaxAxis[],
  open: OpenDimension,
  elaboration: Elaboration,
): boolean {
  const wrong = axes.findIndex((extent, axis) => axis > 0 && typeof extent === 'string');
  const axis = declared[wrong];
  if (axis === undefined) return true;
  const others = declared.filter((each) => each !== axis && each.kind === 'size');
  const rest = others.filter(({ span }) => textOf(span) !== open.name).map(({ span }) => textOf(span));
  const twice = axes[0] === open.name;
  const message = twice
    ? `the open dimension \`${open.name}\` stands twice`
    : `the open dimension \`${open.name}\` must be the first axis of \`${name}\``;
  elaboration.error('E305', axis.span, message, {
    hint: twice
      ? 'a batch is a list of rows, so only the first axis is open; give the other a size'
      : `a batch is a list of rows: \`input ${name}[${[open.name, ...rest].join(', ')}]\``,
  });
  return false;
}

/** A size, or a name that nothing has: the open dimension. */
function inputAxis(
  axis: SyntaxAxis,
  scope: Scope,
  elaboration: Elaboration,
  open: OpenDimension,
): Extent | undefined {
  if (axis.kind !== 'size') {
    elaboration.error('E304', axis.span, 'an axis of an input is a size or the name of the batch', {
      hint: '`..` and `_` are for the tensors that a layer takes',
    });
    return undefined;
  }
  const { value } = axis;
  if (value.kind !== 'reference') return elaborateSize(value, scope, elaboration);
  const { text } = value.name;
  const isNew = scope.lookup(text) === undefined && scope.lookupPending(text) === undefined;
  if (!isNew) return elaborateSize(value, scope, elaboration);
  if (open.name !== undefined && open.span !== undefined) {
    const sizes = scope.visible('values').filter((name) => scope.lookup(name)?.kind === 'size');
    elaboration.error(
      'E305',
      axis.span,
      `\`${text}\` is no dim, and the open dimension is \`${open.name}\` already`,
      {
        notes: [{ span: open.span, message: `\`${open.name}\` is open: it is declared nowhere` }],
        hint: didYouMean(text, sizes) ?? `give it a size: \`dim ${text} = 10\``,
      },
    );
    return undefined;
  }
  open.name = text;
  open.span = axis.span;
  elaboration.batch = text;
  scope.define(text, { kind: 'size', extent: text, span: axis.span, used: true });
  return text;
}

/** `: 10` is 0 .. 9; `: -100 .. 9` has both ends. */
function inputRange(
  { least, bound, span }: NonNullable<InputDeclaration['range']>,
  scope: Scope,
  elaboration: Elaboration,
): { readonly least: number; readonly greatest: number } | undefined {
  const what = 'a bound of the range';
  const smallest = -(2 ** 31 - 1);
  const first = least ? elaborateWhole(least, scope, elaboration, { what, least: smallest }) : 0;
  const last = elaborateWhole(bound, scope, elaboration, { what, least: least ? smallest : 1 });
  if (first === undefined || last === undefined) return undefined;
  const greatest = least ? last : last - 1;
  if (greatest >= first) return { least: first, greatest };
  elaboration.error('E303', span, `the range from ${first} to ${greatest} is empty`);
  return undefined;
}

/** `= 1`: a number known at compile time, a whole one within the range if there is one. */
function inputDefault(
  expression: SyntaxExpression,
  range: { readonly least: number; readonly greatest: number } | undefined,
  name: string,
  scope: Scope,
  elaboration: Elaboration,
): number | undefined {
  const what = `the default of \`${name}\``;
  const value = range
    ? elaborateWhole(expression, scope, elaboration, { what, least: range.least })
    : evaluateConstant(expression, scope, elaboration, { what });
  if (value === undefined) return undefined;
  if (Number.isFinite(value) && (range === undefined || value <= range.greatest)) return value;
  const must = range ? `from ${range.least} to ${range.greatest}` : 'a finite number';
  elaboration.error('E303', expression.span, `${what} must be ${must}, found ${value}`);
  return undefined;
}

export function axisName(axis: SyntaxAxis): string {
  return axis.kind === 'size' && axis.value.kind === 'reference' ? axis.value.name.text : '';
}
