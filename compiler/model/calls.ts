/** Calls in expressions: fns (macros over values), layers, reductions and built-in functions. */
import type { BinaryOperator, UnaryOperator } from '../graph/types.ts';
import type { Call } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import { applyBinary, applyUnary, elaborateExpression, warnOfNotFinite } from './expressions.ts';
import { derivativeNames, elaborateDerivative } from './derivatives.ts';
import { callFn } from './fn-calls.ts';
import { callLayer } from './layers.ts';
import { countPlaceholder, elaborateReduction, reductionNames } from './reductions.ts';
import type { CallableEntry, Scope } from './scope.ts';
import { didYouMean, placesOf } from './scope.ts';
import { foreignName } from './foreign-names.ts';
import { constantValue, errorValue, sizeValue } from './values.ts';
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
  'extent',
  ...derivativeNames,
];

export function elaborateCall(call: Call, scope: Scope, elaboration: Elaboration): Result {
  const name = call.callee.text;
  const entry = scope.lookupCallable(name);
  if (entry) return callDefinition(call, entry, scope, elaboration);
  const binaryOperator = Object.hasOwn(binaryFunctions, name) ? binaryFunctions[name] : undefined;
  const isPair = binaryOperator !== undefined && call.binders === undefined && call.arguments.length > 1;
  if (reductionNames.includes(name) && !isPair) return elaborateReduction(call, scope, elaboration);
  if (name === 'extent') return elaborateExtent(call, scope, elaboration);
  if (derivativeNames.includes(name)) return elaborateDerivative(call, scope, elaboration);
  const unaryOperator = unaryByName.get(name);
  const count = unaryOperator ? 1 : 2;
  if (unaryOperator === undefined && binaryOperator === undefined) {
    reportUnknownCallee(call, scope, elaboration);
    return errorValue;
  }
  if (call.binders) {
    elaboration.error('E205', call.span, `\`${name}\` works element by element and binds no index`, {
      hint: `leave out the brackets: \`${name}(...)\``,
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
      ? `the arguments of \`${name}\` have no names`
      : `\`${name}\` takes ${count} ${count === 1 ? 'argument' : 'arguments'}, but has ${parts.length} here`;
    elaboration.error('E205', named?.name?.span ?? call.span, message);
    return errorValue;
  }
  if (unaryOperator) {
    const result = applyUnary(unaryOperator, first.value);
    warnOfNotFinite(result, [first.value], call.span, elaboration);
    return result;
  }
  if (second === undefined || binaryOperator === undefined) return errorValue;
  return applyBinary(binaryOperator, [first, second], call.span, elaboration);
}

/** `extent(n)`: the number of places that an index runs over; of the batch, at run time. */
function elaborateExtent(call: Call, scope: Scope, elaboration: Elaboration): Result {
  const [argument, ...more] = call.arguments;
  const name = argument?.value.kind === 'reference' ? argument.value.name.text : undefined;
  const entry = name === undefined ? undefined : scope.lookup(name);
  if (argument && more.length === 0 && call.binders === undefined && argument.name === undefined) {
    if (entry?.kind === 'index') return { kind: 'value', axes: [], body: countPlaceholder([entry.variable]) };
    if (entry?.kind === 'size') return sizeValue(entry.extent);
    const rest = name === '..' ? scope.lookupRest() : undefined;
    if (rest && !rest.extents.some((extent) => typeof extent === 'string'))
      return constantValue(placesOf(rest));
  }
  elaboration.error('E205', call.span, '`extent` takes the name of an index', {
    hint:
      name === '..'
        ? '`extent(..)` is known in layers, where `..` stands for axes of fixed sizes'
        : '`extent(i)` is the number of places that `i` runs over; a dim is a number by itself',
  });
  return errorValue;
}

function reportUnknownCallee(call: Call, scope: Scope, elaboration: Elaboration): void {
  const { text, span } = call.callee;
  const value = scope.lookup(text);
  if (value) {
    elaboration.error('E204', span, `\`${text}\` is not a function and cannot be called`, {
      notes: [{ span: value.span, message: `\`${text}\` is declared here` }],
      hint: `read a tensor with brackets, \`${text}[i]\`; a product is written with \`*\``,
    });
    return;
  }
  elaboration.error('E201', span, `there is no function or layer \`${text}\``, {
    hint: foreignName(text) ?? didYouMean(text, [...scope.visible('callables'), ...builtInNames]),
  });
}

function callDefinition(call: Call, entry: CallableEntry, scope: Scope, elaboration: Elaboration): Result {
  entry.used = true;
  const { definition } = entry;
  const name = definition.name.text;
  if (definition.kind === 'optimizer' || definition.kind === 'schedule') {
    const article = definition.kind === 'optimizer' ? 'an optimizer' : 'a schedule';
    elaboration.error('E204', call.callee.span, `\`${name}\` is ${article} and belongs into a train block`, {
      notes: [{ span: definition.name.span, message: 'defined here' }],
    });
    return errorValue;
  }
  return definition.kind === 'fn'
    ? callFn(call, definition, { home: entry.scope, scope, elaboration }, entry.derivative)
    : callLayer(call, definition, entry.scope, scope, elaboration);
}
