/** Layer calls: the statements of the layer are put into the program, under names made from the caller's. */
import { placeOf } from '../diagnostics/source.ts';
import { freeIndices } from '../graph/expressions.ts';
import type { Tensor } from '../graph/types.ts';
import type {
  Argument,
  Assignment,
  Call,
  LayerDefinition,
  LayerItem,
  Name,
  ParamDeclaration,
  Parameter,
  RandomDeclaration,
  SyntaxAxis,
  SyntaxExpression,
} from '../syntax/tree.ts';
import { matchArguments } from './arguments.ts';
import { evaluateConstant } from './constants.ts';
import { declareDim, declareKept, givenInitializer, isMet } from './declarations.ts';
import { declareRandom } from './draws.ts';
import type { Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { matchAxes } from './layer-axes.ts';
import { insideCheckpoint, refuseCheckpoint } from './checkpoints.ts';
import { elaborateEdit } from './cotangents.ts';
import { childrenOf } from './layer-calls.ts';
import { hoist } from './lowering.ts';
import { insideCall } from './recursion.ts';
import { materialised } from './reductions.ts';
import { makeInstance, sharedParam, splitWeights } from './sharing.ts';
import type { Instance } from './sharing.ts';
import { elaborateScan } from './scans.ts';
import type { ScanName } from './scans.ts';
import { elaborateScatter } from './scatter.ts';
import { Scope } from './scope.ts';
import { elaborateNext, isNext, warnNeverUpdated } from './states.ts';
import { elaborateStatement } from './statements.ts';
import { initializerNames } from './training/initializers.ts';
import { constantValue, errorValue, tensorValue } from './values.ts';
import type { Result, Value } from './values.ts';

export function callLayer(
  call: Call,
  definition: LayerDefinition,
  home: Scope,
  scope: Scope,
  elaboration: Elaboration,
): Result {
  const { frame } = elaboration;
  const name = definition.name.text;
  if (frame === undefined) {
    elaboration.error('E204', call.callee.span, `\`${name}\` is a layer and has no place in a constant`);
    return errorValue;
  }
  if (call.binders) {
    elaboration.error('E205', call.span, `\`${name}\` is a layer and binds no index`, {
      notes: [{ span: definition.name.span, message: 'defined here' }],
      hint: `leave out the brackets: \`${name}(...)\``,
    });
    return errorValue;
  }
  const { call: own, weights } = splitWeights(call, definition);
  const matched = matchArguments(own, definition.parameters, definition.name.span, elaboration);
  if (matched === undefined) return errorValue;
  const inner = new Scope(home);
  const initializer = definition.parameters.find((parameter) => isInitializer(parameter, definition));
  let sound = true;
  for (const { parameter, value, isDefault } of matched) {
    const bound = parameter.axes
      ? bindTensor(parameter, parameter.axes, value, scope, inner, elaboration)
      : isInitializer(parameter, definition)
        ? isDefault || isOfOwnWeights(parameter, value, weights, elaboration)
          ? bindInitializer(parameter, value, isDefault ? inner : scope, inner)
          : false
        : !isDefault && initializer && isMisplaced(value, initializer, scope, elaboration)
          ? false
          : bindNumber(parameter, value, isDefault ? inner : scope, inner, name, elaboration);
    sound = bound && sound;
  }
  // after the arguments, so that in x |> dense(8) |> dense(4) the inner call is the first
  const instance = makeInstance(definition, instanceName(name, elaboration), weights, scope, elaboration);
  if (!sound || instance === undefined) return errorValue;
  const whole = frame.value === call && !frame.indexed ? frame.target : undefined;
  const body = (): Result => {
    const outer = elaboration.history;
    elaboration.history = [...outer, `${name}, called at ${placeOf(call.span)}`];
    const result = elaborateItems(definition, inner, instance, whole, elaboration);
    elaboration.history = outer;
    if (result === undefined) return errorValue;
    const { text: what, span } = definition.result;
    const fits = matchAxes(definition.resultAxes, result.axes, inner, elaboration, {
      what,
      span,
      bind: false,
    });
    return fits ? tensorValue(result, elaboration.variables) : errorValue;
  };
  return insideCall({ call, definition, scope, inner, instance }, elaboration, body);
}

/** `h` if the statement of h makes one layer call, else `h_dense`, or `h_dense2` for the second of several. */
function instanceName(layer: string, elaboration: Elaboration): string {
  const { frame } = elaboration;
  if (frame === undefined) return layer;
  const met = (frame.layersMet.get(layer) ?? 0) + 1;
  frame.layersMet.set(layer, met);
  const total = [...frame.layerCalls.values()].reduce((sum, count) => sum + count, 0);
  if (total <= 1) return frame.instance;
  return `${frame.instance}_${layer}${(frame.layerCalls.get(layer) ?? 0) > 1 ? met : ''}`;
}

// ---------------------------------------------------------------------------------------------------------- arguments

function bindNumber(
  parameter: Parameter,
  syntax: SyntaxExpression,
  from: Scope,
  inner: Scope,
  layer: string,
  elaboration: Elaboration,
): boolean {
  const { text } = parameter.name;
  const number = evaluateConstant(syntax, from, elaboration, { what: `\`${text}\` of \`${layer}\`` });
  const value = number === undefined ? errorValue : constantValue(number);
  inner.define(text, { kind: 'value', value, span: parameter.span, used: false });
  return number !== undefined;
}

/** Whether a parameter of a layer says how weights begin: it stands after `~`, or its default is an initialiser. */
function isInitializer({ name, default: fallback }: Parameter, { items }: LayerDefinition): boolean {
  const isAfterTilde = items.some(
    (item) =>
      (item.kind === 'param' || item.kind === 'state') &&
      item.initializer.kind === 'reference' &&
      item.initializer.name.text === name.text,
  );
  return isAfterTilde || (fallback !== undefined && isNamed(fallback, initializerNames));
}

const isNamed = (syntax: SyntaxExpression, names: readonly string[]): boolean =>
  (syntax.kind === 'reference' && names.includes(syntax.name.text)) ||
  (syntax.kind === 'call' && names.includes(syntax.callee.text));

/** False after E205: weights that are another call's have begun there. */
function isOfOwnWeights(
  { name: { text } }: Parameter,
  given: SyntaxExpression,
  weights: Argument | undefined,
  elaboration: Elaboration,
): boolean {
  if (weights === undefined) return true;
  elaboration.error('E205', given.span, `\`${text}\` has nothing to say of weights that are another call's`, {
    notes: [{ span: weights.value.span, message: 'they are taken from here, as they began there' }],
    hint: `leave out \`${text}\`, or \`weights\``,
  });
  return false;
}

/** True after E201: an initialiser stands where a number is wanted, as in `dense(1, he_normal)`. */
function isMisplaced(
  given: SyntaxExpression,
  { name: { text: wanted } }: Parameter,
  scope: Scope,
  elaboration: Elaboration,
): boolean {
  if (given.kind !== 'reference' && given.kind !== 'call') return false;
  const { text } = given.kind === 'call' ? given.callee : given.name;
  const isOwn = scope.lookupTensor(text) !== undefined || scope.lookupCallable(text) !== undefined;
  if (isOwn || !isNamed(given, initializerNames)) return false;
  elaboration.error('E201', given.span, `there is no \`${text}\` here`, {
    hint: `it says how weights begin: \`${wanted} = ${text}${given.kind === 'call' ? '(...)' : ''}\``,
  });
  return true;
}

/** It is elaborated where it is used, since it depends on the sizes there; wrong ones are reported then, in the call. */
function bindInitializer(parameter: Parameter, given: SyntaxExpression, from: Scope, inner: Scope): boolean {
  const { syntax, scope } = givenInitializer(given, from);
  const { span } = parameter;
  inner.define(parameter.name.text, { kind: 'initializer', syntax, scope, span, used: false });
  return true;
}

/** The argument as a tensor that the statements of the layer can read, its axes bound to the names of the parameter. */
function bindTensor(
  parameter: Parameter,
  axes: readonly SyntaxAxis[],
  syntax: SyntaxExpression,
  scope: Scope,
  inner: Scope,
  elaboration: Elaboration,
): boolean {
  const { text } = parameter.name;
  const given = elaborateExpression(syntax, scope, elaboration);
  const { span } = syntax;
  const fails = () => {
    inner.define(text, { kind: 'error', span: parameter.span, used: false });
    return false;
  };
  if (given.kind === 'error') return fails();
  const own = new Set(given.axes.map(({ variable }) => variable));
  const [index] = [...freeIndices(given.body)].filter((variable) => !own.has(variable));
  if (index !== undefined) {
    elaboration.error(
      'E308',
      span,
      `a layer takes whole tensors, but this is one element, at index \`${elaboration.variables.nameOf(index)}\``,
      {
        hint: 'give the tensor without brackets: `x |> dense(10)`',
      },
    );
    return fails();
  }
  const extents = given.axes.map(({ extent }) => extent);
  if (
    !matchAxes(axes, extents, inner, elaboration, { what: text, span, bind: true, declared: parameter.span })
  )
    return fails();
  const label = syntax.kind === 'call' ? syntax.callee.text : text;
  const tensor = tensorOf(given, label, elaboration);
  if (tensor === undefined) return fails();
  inner.define(text, { kind: 'tensor', tensor, span: parameter.span, used: false });
  return true;
}

function tensorOf(value: Value, label: string, elaboration: Elaboration): Tensor | undefined {
  const { builder, frame } = elaboration;
  if (value.tensor !== undefined) return builder.tensor(value.tensor);
  if (frame === undefined) return undefined;
  return builder.tensor(hoist(materialised(value, label, elaboration).definition, elaboration));
}

// --------------------------------------------------------------------------------------------------------------- body

/** The statements of a layer. Gives its result. */
function elaborateItems(
  definition: LayerDefinition,
  inner: Scope,
  instance: Instance,
  whole: string | undefined,
  elaboration: Elaboration,
): Tensor | undefined {
  const { items, result } = definition;
  const { name: prefix } = instance;
  const namesOf = (item: LayerItem) => {
    if (item.kind === 'require' || item.kind === 'cotangent') return [];
    return item.kind === 'scan' ? item.items.map(({ name }) => name) : [item.name];
  };
  for (const item of items)
    for (const { text } of namesOf(item)) if (!inner.own(text)) inner.expect(text, item.span);
  warnNeverUpdated(items, elaboration.diagnostics);
  let output: Tensor | undefined;
  let assigned = false;
  const nameOf = ({ name: { text } }: Assignment): ScanName => {
    const isWhole = text === result.text && whole !== undefined;
    const own = `${prefix}_${text}`;
    return { target: isWhole ? whole : elaboration.freshTensor(own), instance: own };
  };
  const isNew = ({ text, span }: Name): boolean => {
    const earlier = inner.own(text);
    if (earlier === undefined) return true;
    elaboration.error('E202', span, `\`${text}\` is defined twice in \`${definition.name.text}\``, {
      notes: [{ span: earlier.span, message: 'first here' }],
    });
    return false;
  };
  const isGiven = (name: string) => definition.parameters.some((parameter) => parameter.name.text === name);
  for (const item of items) {
    if (item.kind === 'require') {
      if (!isMet(item, inner, elaboration)) return undefined;
      continue;
    }
    if (item.kind === 'scan') {
      const block = { ...item, items: item.items.filter(({ name }) => isNew(name)) };
      const tensors = elaborateScan(block, nameOf, inner, elaboration);
      assigned ||= block.items.some(({ name }) => name.text === result.text);
      output ??= tensors?.get(result.text);
      continue;
    }
    if (item.kind === 'cotangent') {
      elaborateEdit(item, (name) => !isGiven(name), inner, elaboration);
      continue;
    }
    if (!isNew(item.name)) continue;
    const { text } = item.name;
    if (item.kind === 'dim') declareDim(item, inner, elaboration);
    else if (item.kind === 'param') declareLayerParam(item, instance, inner, elaboration);
    else if (item.kind === 'state') declareKept(item, ownName(prefix, text, elaboration), inner, elaboration);
    else if (item.kind === 'random')
      declareRandom(item, ownName(prefix, text, elaboration), inner, elaboration);
    else if (isNext(text)) {
      refuseCheckpoint(item, elaboration);
      elaborateNext(item, inner, elaboration);
    } else {
      const name = nameOf(item);
      const tensor = elaborateAssignment(item, name.target, name.instance, inner, elaboration);
      if (text !== result.text) continue;
      assigned = true;
      output = tensor;
    }
  }
  for (const item of items)
    if (item.kind === 'param' || item.kind === 'random') leaveOutUnused(item, instance, inner, elaboration);
  if (!assigned) {
    elaboration.error(
      'E210',
      result.span,
      `\`${definition.name.text}\` never gives \`${result.text}\` a value`,
      {
        hint: `add a statement \`${result.text}[...] = ...\``,
      },
    );
  }
  return output;
}

/**
 * A parameter or draw that stands only in branches that a condition known at compile time does not choose is not made: `b` of a
 * layer that is called with `bias = false`.
 */
function leaveOutUnused(
  { kind, name }: ParamDeclaration | RandomDeclaration,
  { definition: { items }, name: own, weights }: Instance,
  inner: Scope,
  elaboration: Elaboration,
): void {
  const entry = inner.own(name.text);
  if (entry?.kind !== 'tensor') return;
  if (kind === 'param' && weights !== own) {
    if (entry.used) elaboration.unmade.delete(entry.tensor.name);
    return;
  }
  if (entry.used) return;
  const isMentioned = items.some((item) => item.kind === 'assignment' && mentions(item.value, name.text));
  if (isMentioned) elaboration.unmade.add(entry.tensor.name);
}

function mentions(root: SyntaxExpression, name: string): boolean {
  if (root.kind === 'reference') return root.name.text === name;
  return childrenOf(root).some((child) => mentions(child, name));
}

/** A parameter of a layer; the model can read it by its whole name, so that name must not mean something else there. */
function declareLayerParam(
  item: ParamDeclaration,
  instance: Instance,
  inner: Scope,
  elaboration: Elaboration,
): void {
  const { text, span } = item.name;
  if (instance.weights !== instance.name) {
    const shared = sharedParam(item, instance, inner, elaboration);
    inner.define(
      text,
      shared ? { kind: 'tensor', tensor: shared, span, used: false } : { kind: 'error', span, used: false },
    );
    return;
  }
  const name = `${instance.name}_${text}`;
  const users = elaboration.named.get(name);
  const [outermost] = elaboration.calling;
  if (users && outermost) {
    elaboration.error('E202', users, `\`${name}\` is also the name of a parameter that a layer call makes`, {
      notes: [{ span: outermost.call.callee.span, message: `this call makes the parameter \`${name}\`` }],
      hint: 'give one of the statements another name',
    });
  }
  const tensor = elaboration.freshTensor(name);
  rememberCalls(tensor, elaboration);
  const made = declareKept(item, tensor, inner, elaboration);
  if (made) elaboration.layerParameters.push(made);
}

/** The name of a state or of what is drawn in a layer. */
function ownName(instance: string, name: string, elaboration: Elaboration): string {
  const tensor = elaboration.freshTensor(`${instance}_${name}`);
  rememberCalls(tensor, elaboration);
  return tensor;
}

/** In training and in inference a tensor of one name must come from the same call. */
function rememberCalls(tensor: string, { calling, callsOf }: Elaboration): void {
  callsOf.set(
    tensor,
    calling.map(({ call }) => call),
  );
}

/** A named statement of a model or layer; its tensor is known by the local name from then on. */
export function elaborateAssignment(
  { name, bindings, scatter, value, span, checkpoint }: Assignment,
  target: string,
  instance: string,
  scope: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const request = { target, instance, value, span };
  const tensor = insideCheckpoint(target, checkpoint, elaboration, () =>
    scatter
      ? elaborateScatter({ ...request, scatter }, scope, elaboration)
      : elaborateStatement({ ...request, ...(bindings ? { bindings } : {}) }, scope, elaboration),
  );
  scope.define(
    name.text,
    tensor
      ? { kind: 'tensor', tensor, span: name.span, used: false }
      : { kind: 'error', span: name.span, used: false },
  );
  return tensor;
}
