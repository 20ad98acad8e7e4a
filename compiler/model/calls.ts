/** Calls in expressions: fns (macros over values), layers, reductions and built-in functions. */
import type { Span } from '../diagnostics/source.ts';
import { freeIndices } from '../graph/expressions.ts';
import type { BinaryOperator, UnaryOperator } from '../graph/types.ts';
import type { Call, FnDefinition } from '../syntax/tree.ts';
import { matchArguments } from './arguments.ts';
import type { Elaboration } from './elaboration.ts';
import { applyBinary, applyUnary, elaborateExpression, renameIndex } from './expressions.ts';
import { reportUnboundIndex } from './indices.ts';
import { callLayer } from './layers.ts';
import { insideCall } from './recursion.ts';
import { elaborateReduction, reductionNames } from './reductions.ts';
import type { BinderVariable, CallableEntry } from './scope.ts';
import { didYouMean, Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { errorValue } from './values.ts';
import type { Result } from './values.ts';

/** Built-in functions of one argument, under their names. */
const unaryFunctions = [
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'exp',
  'expm1',
  'log',
  'log1p',
  'log2',
  'sqrt',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'sigmoid',
  'softplus',
  'relu',
  'norm_sqrt',
  'stop_gradient',
] as const satisfies readonly UnaryOperator[];

/** Built-in functions of two arguments. */
const binaryFunctions: Readonly<Record<string, BinaryOperator>> = {
  max: 'max',
  min: 'min',
  pow: 'power',
  atan2: 'atan2',
  mod: 'modulo',
};

const unaryByName = new Map<string, UnaryOperator>(unaryFunctions.map((name) => [name, name]));

/** Everything that can be called without a definition. */
export const builtInNames: readonly string[] = [
  ...reductionNames,
  ...unaryByName.keys(),
  ...Object.keys(binaryFunctions),
];

export function elaborateCall(call: Call, scope: Scope, elaboration: Elaboration): Result {
  const name = call.callee.text;
  const entry = scope.lookupCallable(name);
  if (entry) return callDefinition(call, entry, scope, elaboration);
  const binaryOperator = Object.hasOwn(binaryFunctions, name) ? binaryFunctions[name] : undefined;
  const isPair = binaryOperator !== undefined && call.binders === undefined && call.arguments.length > 1;
  if (reductionNames.includes(name) && !isPair) return elaborateReduction(call, scope, elaboration);
  const unaryOperator = unaryByName.get(name);
  const count = unaryOperator ? 1 : 2;
  if (unaryOperator === undefined && binaryOperator === undefined) {
    reportUnknownCallee(call, scope, elaboration);
    return errorValue;
  }
  if (call.binders) {
    elaboration.error('E205', call.span, `${name} works element by element and binds no index`, {
      hint: `leave out the brackets: ${name}(...)`,
    });
    return errorValue;
  }
  const parts = call.arguments.map(({ value }) => ({
    value: elaborateExpression(value, scope, elaboration),
    span: value.span,
  }));
  const [first, second] = parts;
  const named = call.arguments.find((argument) => argument.name);
  if (parts.length !== count || first === undefined || named?.name) {
    const message = named?.name
      ? `the arguments of ${name} have no names`
      : `${name} takes ${count} ${count === 1 ? 'argument' : 'arguments'}, but has ${parts.length} here`;
    elaboration.error('E205', named?.name?.span ?? call.span, message);
    return errorValue;
  }
  if (unaryOperator) return applyUnary(unaryOperator, first.value);
  if (second === undefined || binaryOperator === undefined) return errorValue;
  return applyBinary(binaryOperator, [first, second], call.span, elaboration);
}

function reportUnknownCallee(call: Call, scope: Scope, elaboration: Elaboration): void {
  const { text, span } = call.callee;
  const value = scope.lookup(text);
  if (value) {
    elaboration.error('E204', span, `${text} is not a function and cannot be called`, {
      notes: [{ span: value.span, message: `${text} is declared here` }],
      hint: `read a tensor with brackets, ${text}[i]; a product is written with *`,
    });
    return;
  }
  elaboration.error('E201', span, `there is no function or layer ${text}`, {
    hint: didYouMean(text, [...scope.visible('callables'), ...builtInNames]),
  });
}

function callDefinition(call: Call, entry: CallableEntry, scope: Scope, elaboration: Elaboration): Result {
  entry.used = true;
  const { definition } = entry;
  const name = definition.name.text;
  if (definition.kind === 'optimizer' || definition.kind === 'schedule') {
    const article = definition.kind === 'optimizer' ? 'an optimizer' : 'a schedule';
    elaboration.error('E204', call.callee.span, `${name} is ${article} and belongs into a train block`, {
      notes: [{ span: definition.name.span, message: 'defined here' }],
    });
    return errorValue;
  }
  return definition.kind === 'fn'
    ? callFn(call, definition, entry.scope, scope, elaboration)
    : callLayer(call, definition, entry.scope, scope, elaboration);
}

/**
 * A fn is a macro over values. The index k that it binds stands for a variable of its own in arguments and body; each
 * reduction over k puts the reduced index in its place, and at the end what is still free of it is the caller's index.
 */
function callFn(
  call: Call,
  definition: FnDefinition,
  home: Scope,
  scope: Scope,
  elaboration: Elaboration,
): Result {
  const name = definition.name.text;
  const [given, ...more] = call.binders ?? [];
  const { binder: own } = definition;
  if (more.length > 0 || (own === undefined) !== (given === undefined)) {
    const message = own ? `${name} works over one index` : `${name} works over no index`;
    elaboration.error('E205', call.span, message, {
      notes: [{ span: definition.name.span, message: 'defined here' }],
      hint: own ? `name it: ${name}[${own.text}](...)` : `leave out the brackets: ${name}(...)`,
    });
    return errorValue;
  }
  const matched = matchArguments(call, definition.parameters, definition.name.span, elaboration);
  if (matched === undefined) return errorValue;
  const inner = new Scope(home);
  const outer = new Scope(scope);
  let binder: BinderVariable | undefined;
  if (own && given) {
    const extent = given.extent && elaborateSize(given.extent, scope, elaboration);
    if (given.extent && extent === undefined) return errorValue;
    const what = `${given.text} has ${extent} places`;
    const variable = elaboration.variables.fresh(given.text, given.span, extent, what);
    binder = { name: own.text, variable };
    inner.define(own.text, { kind: 'index', variable, span: own.span, used: true });
    outer.define(given.text, { kind: 'index', variable, span: given.span, used: true });
  }
  const define = (local: string, value: Result, span: Span) => {
    inner.define(local, { kind: 'value', value, span, used: false, ...(binder ? { binder } : {}) });
  };
  for (const { parameter, value, isDefault } of matched) {
    define(
      parameter.name.text,
      elaborateExpression(value, isDefault ? home : outer, elaboration),
      parameter.span,
    );
  }
  const result = insideCall(call, definition, elaboration, () =>
    fnBody(definition, inner, define, elaboration),
  );
  if (result.kind === 'error' || binder === undefined || given === undefined) return result;
  if (!freeIndices(result.body).has(binder.variable)) return result;
  const callers = scope.lookup(given.text);
  if (callers?.kind === 'index')
    return renameIndex(result, binder.variable, callers.variable, given.span, elaboration);
  reportUnboundIndex(given.text, given.span, scope, elaboration);
  return errorValue;
}

function fnBody(
  definition: FnDefinition,
  inner: Scope,
  define: (local: string, value: Result, span: Span) => void,
  elaboration: Elaboration,
): Result {
  for (const { name, span } of definition.locals) if (!inner.own(name.text)) inner.expect(name.text, span);
  for (const { name, value } of definition.locals) {
    const earlier = inner.own(name.text);
    if (earlier) {
      elaboration.error('E202', name.span, `${name.text} is defined twice in ${definition.name.text}`, {
        notes: [{ span: earlier.span, message: 'first here' }],
      });
      continue;
    }
    define(name.text, elaborateExpression(value, inner, elaboration), name.span);
  }
  return elaborateExpression(definition.value, inner, elaboration);
}
