/** Calls of fns, which are macros over values. */
import type { Span } from '../diagnostics/source.ts';
import { foldExpression, freeIndices, indexOf, substituteIndices } from '../graph/expressions.ts';
import type {
  Binder,
  Call,
  DerivativeDefinition,
  FnDefinition,
  Name,
  SyntaxExpression,
} from '../syntax/tree.ts';
import { matchArguments } from './arguments.ts';
import type { Matched } from './arguments.ts';
import type { Calling, Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { reportUnboundIndex } from './indices.ts';
import { renameIndex } from './names.ts';
import { callOwnFunction } from './own-functions.ts';
import { insideCall } from './recursion.ts';
import { materialised } from './reductions.ts';
import type { BinderVariable } from './scope.ts';
import { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { errorValue, shapeText } from './values.ts';
import type { Result, Value } from './values.ts';

/** Where a fn is called and where it was defined. */
interface Places {
  readonly home: Scope;
  readonly scope: Scope;
  readonly elaboration: Elaboration;
}

interface Argument {
  readonly matched: Matched;
  readonly value: Result;
}

export function callFn(
  call: Call,
  definition: FnDefinition,
  places: Places,
  derivative?: DerivativeDefinition,
): Result {
  const { elaboration } = places;
  const name = definition.name.text;
  const [given, ...more] = call.binders ?? [];
  const { binder } = definition;
  if (more.length > 0 || given?.text === '..' || (binder === undefined && given !== undefined)) {
    const message = `\`${name}\` works over ${binder ? 'one index' : 'no index'}`;
    elaboration.error('E205', call.span, message, {
      notes: [{ span: definition.name.span, message: 'defined here' }],
      hint: binder
        ? `name one: \`${name}[${binder.text}](...)\``
        : `leave out the brackets: \`${name}(...)\``,
    });
    return errorValue;
  }
  const matched = matchArguments(call, definition.parameters, definition.name.span, elaboration);
  if (matched === undefined) return errorValue;
  if (binder && given) return overIndex(call, definition, matched, { own: binder, given }, places);
  const values = elaborateArguments(matched, places.scope, places);
  if (derivative) {
    const { home, scope } = places;
    const parts = values.map(({ matched: { value: syntax }, value }) => ({ value, span: syntax.span }));
    const rule = { definition, derivative, home };
    const made = callOwnFunction(call, rule, parts, scope, elaboration, (inner) =>
      resultIn(inner, definition, undefined, elaboration),
    );
    if (made) return made;
  }
  return binder
    ? overLastAxis(call, definition, values, binder, places)
    : bodyOf(call, definition, values, undefined, places);
}

function elaborateArguments(
  matched: readonly Matched[],
  from: Scope,
  { home, elaboration }: Places,
): Argument[] {
  return matched.map((each) => ({
    matched: each,
    value: elaborateExpression(each.value, each.isDefault ? home : from, elaboration),
  }));
}

/**
 * `softmax[k](z[n, k])`: the index k stands for a variable of its own in arguments and body; each reduction over k puts
 * the reduced index in its place, and at the end what is still free of it is the caller's index.
 */
function overIndex(
  call: Call,
  definition: FnDefinition,
  matched: readonly Matched[],
  { own, given }: { readonly own: Name; readonly given: Binder },
  places: Places,
): Result {
  const { scope, elaboration } = places;
  const { text, span } = given;
  const extent = given.extent && elaborateSize(given.extent, scope, elaboration);
  if (given.extent && extent === undefined) return errorValue;
  const variable = elaboration.variables.bound(text, span, extent);
  const outer = new Scope(scope);
  outer.define(text, { kind: 'index', variable, span, used: true });
  const values = elaborateArguments(matched, outer, places);
  const result = bodyOf(call, definition, values, { name: own.text, variable }, places);
  if (result.kind === 'error' || !freeIndices(result.body).has(variable)) return result;
  const callers = scope.lookup(text);
  if (callers?.kind === 'index') return renameIndex(result, variable, callers.variable, span, elaboration);
  reportUnboundIndex(text, span, scope, elaboration);
  return errorValue;
}

/**
 * `softmax(z)` of a whole tensor: the index runs over the last axis of the arguments that have the most axes; the others
 * are taken whole. What depends on the index has the axis again, as its last.
 */
function overLastAxis(
  call: Call,
  definition: FnDefinition,
  values: readonly Argument[],
  own: Name,
  places: Places,
): Result {
  const { elaboration } = places;
  if (values.some(({ value }) => value.kind === 'error')) return errorValue;
  const rank = Math.max(0, ...values.map(({ value }) => axesOf(value).length));
  const [lead] = values.filter(({ value }) => axesOf(value).length === rank);
  const last = lead && axesOf(lead.value).at(-1);
  if (lead === undefined || last === undefined) {
    const name = definition.name.text;
    elaboration.error('E205', call.span, `\`${name}\` works over an index, and this is a single number`, {
      notes: [{ span: definition.name.span, message: 'defined here' }],
      hint: `name the index, \`${name}[${own.text}](...)\`, or give it a whole tensor: it then works over the last axis`,
    });
    return errorValue;
  }
  const { extent } = last;
  const variable = elaboration.variables.fresh(
    elaboration.variables.nameOf(last.variable),
    call.span,
    extent,
  );
  const along: Argument[] = [];
  for (const argument of values) {
    const { matched, value } = argument;
    if (value.kind === 'error') return errorValue;
    const axis = value.axes.length === rank ? value.axes.at(-1) : undefined;
    if (axis === undefined) {
      along.push(argument);
      continue;
    }
    if (axis.extent !== extent) {
      const [first, second] = [lead, argument].map((of) => shapeText(axesOf(of.value)));
      elaboration.error('E307', matched.value.span, `the last axes of ${first} and ${second} differ`, {
        notes: [{ span: lead.matched.value.span, message: `this is ${first}` }],
        hint: `\`${definition.name.text}\` works over the last axis of both`,
      });
      return errorValue;
    }
    const body = substituteIndices(value.body, new Map([[axis.variable, indexOf(variable)]]));
    along.push({ matched, value: { kind: 'value', axes: value.axes.slice(0, -1), body } });
  }
  const result = bodyOf(call, definition, along, { name: own.text, variable }, places);
  if (result.kind === 'error' || !freeIndices(result.body).has(variable)) return result;
  return { kind: 'value', axes: [...result.axes, { variable, extent }], body: result.body };
}

const axesOf = (value: Result): Value['axes'] => (value.kind === 'error' ? [] : value.axes);

/** The body with the arguments in it. */
function bodyOf(
  call: Call,
  definition: FnDefinition,
  values: readonly Argument[],
  binder: BinderVariable | undefined,
  { home, scope, elaboration }: Places,
): Result {
  const inner = new Scope(home);
  if (binder && definition.binder) {
    const { variable } = binder;
    inner.define(binder.name, { kind: 'index', variable, span: definition.binder.span, used: true });
  }
  for (const { matched, value } of values)
    defineLocal(matched.parameter.name.text, value, matched.parameter.span, inner, binder, elaboration);
  return insideCall({ call, definition, scope }, elaboration, () =>
    resultIn(inner, definition, binder, elaboration),
  );
}

/** What the body gives in a scope that has the parameters. */
function resultIn(
  inner: Scope,
  definition: FnDefinition,
  binder: BinderVariable | undefined,
  elaboration: Elaboration,
): Result {
  for (const { name, span } of definition.locals) if (!inner.own(name.text)) inner.expect(name.text, span);
  for (const { name, value } of definition.locals) {
    const earlier = inner.own(name.text);
    if (earlier) {
      elaboration.error(
        'E202',
        name.span,
        `\`${name.text}\` is defined twice in \`${definition.name.text}\``,
        {
          notes: [{ span: earlier.span, message: 'first here' }],
        },
      );
      continue;
    }
    const local = elaborateExpression(value, inner, elaboration);
    defineLocal(name.text, local, name.span, inner, binder, elaboration);
  }
  return elaborateExpression(definition.value, inner, elaboration);
}

function defineLocal(
  name: string,
  given: Result,
  span: Span,
  inner: Scope,
  binder: BinderVariable | undefined,
  elaboration: Elaboration,
): void {
  const value = withoutGrowth(given, name, elaboration);
  inner.define(name, { kind: 'value', value, span, used: false, ...(binder ? { binder } : {}) });
}

/** How large a formula may be, written out, that a fn takes as it is. */
const largest = 500;

/**
 * A fn may use an argument many times, and so may the next with its result: what has become large is a tensor of its own,
 * so that formulas do not grow without bound.
 */
function withoutGrowth(value: Result, label: string, elaboration: Elaboration): Result {
  if (value.kind === 'error' || elaboration.frame === undefined) return value;
  const size = foldExpression<number>(value.body, (_, sizes) => sizes.reduce((sum, each) => sum + each, 1));
  return size <= largest ? value : materialised(value, label, elaboration).value;
}

/** E401 for `softmax[k](z)`, where nothing that is given depends on k. Reported at the call, not in the fn. */
export function reportIndependent({ call, scope }: Calling, elaboration: Elaboration): void {
  const [binder] = call.binders ?? [];
  if (binder === undefined) return;
  const name = call.callee.text;
  const { text } = binder;
  const written = callWithIndices(call, scope) ?? `${name}[${text}](z[n, ${text}])`;
  elaboration.error('E401', call.span, `index \`${text}\` does not occur in the arguments of \`${name}\``, {
    hint: `read the tensor at \`${text}\`, \`${written}\`; or leave out the brackets, \`${name}(...)\`, to work over its last axis`,
  });
}

/**
 * How a call over an index is written for a whole tensor that was given: `softmax[k](z[n, k])` for `softmax[k](z)`.
 * Undefined if no argument is a bare name.
 */
function callWithIndices(call: Call, scope: Scope): string | undefined {
  const [binder] = call.binders ?? [];
  const [first, ...others] = call.arguments;
  if (binder === undefined || first?.value.kind !== 'reference') return undefined;
  const entry = scope.lookup(first.value.name.text);
  if (entry?.kind !== 'tensor' || entry.tensor.axes.length === 0) return undefined;
  const { tensor } = entry;
  // the names of dims are no names for indices
  const isIndex = (axis: number) => tensor.role === 'intermediate' || typeof tensor.axes[axis] === 'string';
  const axes = tensor.axisNames.map((name, axis) => (isIndex(axis) ? name : ''));
  const letters = [...'ijklm'].filter((letter) => letter !== binder.text && !axes.includes(letter));
  const places = axes
    .slice(0, -1)
    .map((name) => (name === '' || name === binder.text ? letters.shift() : name));
  const rest = others.length > 0 ? ', ...' : '';
  return `${call.callee.text}[${binder.text}](${textOf(first.value)}[${[...places, binder.text].join(', ')}]${rest})`;
}

const textOf = ({ span }: SyntaxExpression): string => span.source.text.slice(span.start, span.end);
