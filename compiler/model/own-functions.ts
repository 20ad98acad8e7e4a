/**
 * Functions with a derivative of their own: `fn f(x) = ...` and `derivative f(x) = ...` beside it. Where other fns are put in
 * the place of their calls, these stay calls, elementwise operators of the graph, so that differentiation finds the rule.
 */
import { freshName, postorder, read } from '../graph/expressions.ts';
import type { Expression, OwnFunction } from '../graph/types.ts';
import type { Span } from '../diagnostics/source.ts';
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Call, DerivativeDefinition, FnDefinition, SyntaxExpression } from '../syntax/tree.ts';
import { builtInNames } from './calls.ts';
import type { Elaboration } from './elaboration.ts';
import { elaborateExpression, lift } from './expressions.ts';
import type { Part } from './expressions.ts';
import { childrenOf } from './layer-calls.ts';
import { reductionNames } from './reductions.ts';
import { insideCall } from './recursion.ts';
import { didYouMean, Scope } from './scope.ts';
import { errorValue } from './values.ts';
import type { ErrorValue, Result } from './values.ts';

/** Those of a model, by their definitions. */
export class OwnFunctions {
  private readonly made = new Map<FnDefinition, OwnFunction | ErrorValue>();
  private readonly taken = new Set<string>(builtInNames);

  /** A name that no other function of the model has, and no operator as programs are printed. */
  name(base: string): string {
    const name = freshName(base, this.taken);
    this.taken.add(name);
    return name;
  }

  get(definition: FnDefinition): OwnFunction | ErrorValue | undefined {
    return this.made.get(definition);
  }

  set(definition: FnDefinition, made: OwnFunction | ErrorValue): void {
    this.made.set(definition, made);
  }
}

interface OwnRule {
  readonly definition: FnDefinition;
  readonly derivative: DerivativeDefinition;
  /** The scope that both are written in. */
  readonly home: Scope;
}

/**
 * The call as an operator: its arguments are combined element by element. Undefined where a call is nothing but its value: of
 * numbers known at compile time, and outside of models.
 */
export function callOwnFunction(
  call: Call,
  rule: OwnRule,
  parts: readonly Part[],
  scope: Scope,
  elaboration: Elaboration,
  valueOf: (inner: Scope) => Result,
): Result | undefined {
  const { ownFunctions } = elaboration;
  if (ownFunctions === undefined) return undefined;
  const isKnown = ({ value }: Part): boolean => value.kind === 'value' && value.constant !== undefined;
  if (parts.every(isKnown)) return undefined;
  const callee =
    ownFunctions.get(rule.definition) ??
    insideCall({ call, definition: rule.definition, scope }, elaboration, () =>
      makeFunction(rule, ownFunctions, elaboration, valueOf),
    );
  if ('kind' in callee) return errorValue;
  return lift(parts, call.span, elaboration, (_first, _second, _third, operands) => ({
    kind: 'call',
    callee,
    operands,
  }));
}

function makeFunction(
  { definition, derivative, home }: OwnRule,
  functions: OwnFunctions,
  elaboration: Elaboration,
  valueOf: (inner: Scope) => Result,
): OwnFunction | ErrorValue {
  const parameters = definition.parameters.map(({ name }) => name.text);
  const inner = new Scope(home);
  for (const { name, span } of definition.parameters) {
    const value: Result = { kind: 'value', axes: [], body: read(name.text) };
    inner.define(name.text, { kind: 'value', value, span, used: false });
  }
  const body = scalarOf(definition.value.span, parameters, elaboration, () => valueOf(inner));
  if (body === undefined) {
    functions.set(definition, errorValue);
    return errorValue;
  }
  const partials: Expression[] = [];
  const made: OwnFunction = {
    name: functions.name(definition.name.text),
    parameters,
    value: body,
    partials: () => partials,
  };
  // a rule may call the function that it is of
  functions.set(definition, made);
  for (const value of derivative.values) {
    const partial = scalarOf(value.span, parameters, elaboration, () =>
      elaborateExpression(value, inner, elaboration),
    );
    if (partial === undefined) functions.set(definition, errorValue);
    else partials.push(partial);
  }
  return functions.get(definition) ?? made;
}

/** An expression over numbers alone, the parameters. Reports E607 where it needs more. */
function scalarOf(
  span: Span,
  parameters: readonly string[],
  elaboration: Elaboration,
  elaborate: () => Result,
): Expression | undefined {
  const { frame, readsTraining } = elaboration;
  elaboration.frame = undefined;
  elaboration.readsTraining = false;
  const result = elaborate();
  const asksForTraining = elaboration.readsTraining;
  elaboration.frame = frame;
  elaboration.readsTraining = readsTraining;
  if (result.kind === 'error') return undefined;
  const isScalar =
    result.axes.length === 0 &&
    postorder(result.body).every((node) => node.kind !== 'read' || parameters.includes(node.tensor));
  if (isScalar && !asksForTraining) return result.body;
  elaboration.error('E607', span, ...(isScalar ? modeDependent : notElementwise));
  return undefined;
}

const elementwiseHint =
  'numbers in, a number out: what is summed, read at indices or has parameters is written around the call';

const notElementwise: [string, { hint: string }] = [
  'a function with a derivative of its own works element by element',
  { hint: elementwiseHint },
];

const modeDependent: [string, { hint: string }] = [
  'a function with a derivative of its own cannot ask for `training`',
  { hint: 'give it as an argument: `fn f(x, active) = ...`, called as `f(x, training)`' },
];

/** Gives each rule to the function of its file that it is of. Reports E607, and E202 for the second of a function. */
export function attachDerivatives(
  derivatives: readonly DerivativeDefinition[],
  scope: Scope,
  diagnostics: Diagnostics,
): void {
  for (const derivative of derivatives) {
    const { name } = derivative;
    const entry = scope.ownCallable(name.text);
    if (entry === undefined) {
      const isElsewhere = scope.lookupCallable(name.text) !== undefined || builtInNames.includes(name.text);
      diagnostics.error(
        'E607',
        name.span,
        isElsewhere
          ? `\`${name.text}\` is not defined in this file`
          : `there is no function \`${name.text}\` in this file`,
        hinted(
          isElsewhere
            ? `a derivative stands beside its function: \`fn my_${name.text}(x) = ${name.text}(x)\`, then \`derivative my_${name.text}(x) = ...\``
            : didYouMean(
                name.text,
                [...scope.ownCallables()].map(([known]) => known),
              ),
        ),
      );
      continue;
    }
    const { definition } = entry;
    const notes = [{ span: definition.name.span, message: 'defined here' }];
    if (entry.derivative) {
      diagnostics.error('E202', name.span, `\`${name.text}\` has two derivatives`, {
        notes: [{ span: entry.derivative.name.span, message: 'first here' }],
      });
      continue;
    }
    if (definition.kind !== 'fn' || definition.binder) {
      const message =
        definition.kind === 'fn'
          ? `\`${name.text}\` works over an index, so it cannot have a derivative of its own`
          : `\`${name.text}\` is no function, so it cannot have a derivative of its own`;
      diagnostics.error('E607', name.span, message, { notes, hint: elementwiseHint });
      continue;
    }
    if (isSound(derivative, definition, diagnostics)) entry.derivative = derivative;
  }
}

const hinted = (hint: string | undefined): { hint?: string } => (hint === undefined ? {} : { hint });

function isSound(
  derivative: DerivativeDefinition,
  definition: FnDefinition,
  diagnostics: Diagnostics,
): boolean {
  const { name, parameters, values } = derivative;
  const names = definition.parameters.map((parameter) => parameter.name.text);
  const notes = [{ span: definition.name.span, message: 'defined here' }];
  const given = parameters.map((parameter) => parameter.name.text);
  if (given.join() !== names.join()) {
    diagnostics.error(
      'E607',
      name.span,
      `\`${name.text}\` has the parameters (${names.join(', ')}), but its derivative has (${given.join(', ')})`,
      { notes, hint: `write \`derivative ${name.text}(${names.join(', ')}) = ...\`` },
    );
    return false;
  }
  const preset = parameters.find((parameter) => parameter.default);
  if (preset) {
    diagnostics.error('E607', preset.span, 'the parameters of a derivative have no defaults', {
      notes,
      hint: `defaults belong to \`fn ${name.text}\``,
    });
    return false;
  }
  const last = values.at(-1);
  if (values.length !== names.length && last?.kind !== 'error') {
    const count = `${names.length} ${names.length === 1 ? 'parameter' : 'parameters'}`;
    diagnostics.error(
      'E607',
      last?.span ?? name.span,
      `\`${name.text}\` has ${count}, but its derivative has ${values.length} ${values.length === 1 ? 'expression' : 'expressions'}`,
      {
        notes,
        hint: 'one for each parameter, in their order, separated by commas; 0 where nothing shall flow',
      },
    );
    return false;
  }
  const parts = [definition.value, ...definition.locals.map(({ value }) => value), ...values];
  const other = parts.map(notScalar).find((found) => found !== undefined);
  if (other === undefined) return true;
  diagnostics.error('E607', other.span, notElementwise[0], { notes, hint: elementwiseHint });
  return false;
}

/** The first read at indices, call over indices or reduction in an expression. */
function notScalar(root: SyntaxExpression): SyntaxExpression | undefined {
  if (root.kind === 'read') return root;
  if (root.kind === 'call') {
    const isPair = ['max', 'min'].includes(root.callee.text) && root.arguments.length > 1;
    if (root.binders !== undefined || (reductionNames.includes(root.callee.text) && !isPair)) return root;
  }
  for (const child of childrenOf(root)) {
    const found = notScalar(child);
    if (found) return found;
  }
  return undefined;
}
