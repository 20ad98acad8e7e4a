/** Hyper-parameters that change from step to step: an expression with schedules in it -> a program with one result. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Program } from '../../graph/types.ts';
import type { ScheduleDefinition, SyntaxExpression } from '../../syntax/tree.ts';
import { elaborateExpression } from '../expressions.ts';
import { Scope } from '../scope.ts';
import type { CallableEntry } from '../scope.ts';
import { errorValue } from '../values.ts';
import type { Result } from '../values.ts';
import { bindArguments, checkHyperParameter, namesAreFree } from './hyper-parameters.ts';
import type { Use } from './hyper-parameters.ts';
import { elaborateInitializer } from './initializers.ts';
import { livePart, nextOf } from './live.ts';
import { UpdateBuilder } from './update-builder.ts';

/** The result of a schedule's program: the value of the step. */
export const scheduleResult = 'value';

/** What every schedule sees. */
const givenNames = ['step', 'loss'] as const;

/** How deep schedules may call each other through their arguments. */
const depthLimit = 50;

/** True if a schedule is called somewhere in the expression. */
export function usesSchedule(expression: SyntaxExpression, scope: Scope): boolean {
  let found = false;
  replaceSchedules(expression, scope, (use) => {
    found = true;
    return use;
  });
  return found;
}

/** The program of `expression`, in which schedules are called. Undefined if it has errors, which are reported. */
export function elaborateSchedule(
  name: string,
  expression: SyntaxExpression,
  scope: Scope,
  diagnostics: Diagnostics,
): Program | undefined {
  const builder = new UpdateBuilder(name, expression.span, diagnostics, [scheduleResult]);
  const value = scheduledValue(expression, scope, builder, 0);
  if (value.kind === 'error') return undefined;
  if (value.axes.length > 0) {
    diagnostics.error(
      'E307',
      expression.span,
      'a hyper-parameter is one number for the whole optimizer, not one for each element',
    );
    return undefined;
  }
  builder.assign(scheduleResult, value, expression.span);
  const program = builder.program([scheduleResult]);
  return program && livePart(program, [scheduleResult]);
}

/** Schedules are worked out first and stand in the expression as values. */
function scheduledValue(
  expression: SyntaxExpression,
  scope: Scope,
  builder: UpdateBuilder,
  depth: number,
): Result {
  const inner = new Scope(scope);
  let count = 0;
  const replaced = replaceSchedules(expression, scope, (use, entry) => {
    const name = `schedule ${count++}`;
    const value = callSchedule(use, entry, scope, builder, depth);
    inner.define(name, { kind: 'value', value, span: use.span, used: true });
    return { kind: 'reference', name: { text: name, span: use.span }, span: use.span };
  });
  return elaborateExpression(replaced, inner, builder.elaboration);
}

function callSchedule(
  use: Use,
  { definition, scope: home }: CallableEntry,
  callerScope: Scope,
  builder: UpdateBuilder,
  depth: number,
): Result {
  const { diagnostics } = builder;
  if (definition.kind !== 'schedule') return errorValue;
  if (depth >= depthLimit) {
    diagnostics.error('E106', use.span, `schedules are called more than ${depthLimit} deep`);
    return errorValue;
  }
  const scope = new Scope(home);
  let sound = true;
  const bound = bindArguments(definition, use, diagnostics);
  for (const hyper of bound) {
    const value = scheduledValue(hyper.expression, hyper.given ? callerScope : scope, builder, depth + 1);
    scope.define(hyper.name, { kind: 'value', value, span: hyper.span, used: true });
    const constant = value.kind === 'value' ? value.constant : undefined;
    if (value.kind === 'error') sound = false;
    else if (constant !== undefined && !checkHyperParameter(definition, hyper, constant, diagnostics))
      sound = false;
  }
  if (!sound || bound.length < definition.parameters.length) return errorValue;
  if (!namesAreFree(definition, givenNames, diagnostics)) return errorValue;
  for (const name of givenNames) builder.scalar(name, scope, definition.span);
  return elaborateItems(definition, scope, builder);
}

/** The states, locals and next values of a schedule; gives its `value`. */
function elaborateItems(definition: ScheduleDefinition, scope: Scope, builder: UpdateBuilder): Result {
  const { diagnostics } = builder;
  const states = new Map<string, string>();
  for (const item of definition.items) {
    if (item.kind !== 'state') continue;
    const evaluate = builder.evaluator(scope, `the first value of \`${item.name.text}\``);
    const initializer = elaborateInitializer(item.initializer, [], { evaluate, diagnostics });
    states.set(item.name.text, builder.state(item, [], initializer, scope));
  }
  let result: Result | undefined;
  for (const item of definition.items) {
    if (item.kind !== 'assignment') continue;
    const name = item.name.text;
    const value = elaborateExpression(item.value, scope, builder.elaboration);
    if (name.endsWith("'")) {
      const state = states.get(name.slice(0, -1));
      if (state === undefined) builder.reportNoState(item, [...states.keys()]);
      else builder.assignNext(nextOf(state), [], value, item, scope);
    } else if (name === scheduleResult) {
      result = value;
      scope.define(name, { kind: 'value', value, span: item.span, used: true });
    } else builder.local(name, value, item, scope);
  }
  if (result !== undefined) return result;
  diagnostics.error('E210', definition.name.span, `schedule \`${definition.name.text}\` gives no value`, {
    hint: 'assign it: `value = ...`',
  });
  return errorValue;
}

/** The expression with every call of a schedule replaced, outermost ones only. */
function replaceSchedules(
  expression: SyntaxExpression,
  scope: Scope,
  replace: (use: Use, entry: CallableEntry) => SyntaxExpression,
): SyntaxExpression {
  const visit = (node: SyntaxExpression): SyntaxExpression => {
    switch (node.kind) {
      case 'call': {
        const entry = scope.lookupCallable(node.callee.text);
        if (entry?.definition.kind === 'schedule') return replace(node, entry);
        const values = node.arguments.map((argument) => ({ ...argument, value: visit(argument.value) }));
        return { ...node, arguments: values };
      }
      case 'reference': {
        // without parentheses, as in `optimizer: adam`
        const entry = scope.lookup(node.name.text) ? undefined : scope.lookupCallable(node.name.text);
        return entry?.definition.kind === 'schedule' ? replace(node, entry) : node;
      }
      case 'unary':
        return { ...node, operand: visit(node.operand) };
      case 'binary':
        return { ...node, left: visit(node.left), right: visit(node.right) };
      case 'conditional':
        return {
          ...node,
          condition: visit(node.condition),
          then: visit(node.then),
          otherwise: visit(node.otherwise),
        };
      default:
        return node;
    }
  };
  return visit(expression);
}
