/** An optimizer call -> the program of one step for a run of `count` parameters. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Program } from '../../graph/types.ts';
import { isScatter, reducedIndices } from '../../graph/expressions.ts';
import type { Assignment, OptimizerDefinition, SyntaxExpression } from '../../syntax/tree.ts';
import { elaborateExpression } from '../expressions.ts';
import { Scope } from '../scope.ts';
import type { Entry } from '../scope.ts';
import { constantValue } from '../values.ts';
import { knownNames } from './hints.ts';
import { bindArguments, checkHyperParameter, namesAreFree } from './hyper-parameters.ts';
import type { Bound, Use } from './hyper-parameters.ts';
import { elaborateInitializer } from './initializers.ts';
import { livePart, nextOf } from './live.ts';
import { elaborateSchedule, usesSchedule } from './schedules.ts';
import { UpdateBuilder } from './update-builder.ts';

/** The size of a run of parameters: bound at run time. */
export const count = 'count';

/** What every optimizer sees beside p and g. */
const scalars = ['t', 'step', 'loss'] as const;

/** The hyper-parameter that callbacks can turn down, in whatever optimizer it is. */
const rateName = 'rate';

export interface Optimizer {
  readonly name: string;
  readonly program: Program;
  readonly perParameter: boolean;
  /** Hyper-parameter -> the program that computes it. */
  readonly schedules: ReadonlyMap<string, Program>;
  /** The rate as it is written, if the program reads one. */
  readonly rate?: number | Program;
}

export interface OptimizerContext {
  /** Where the `train` block stands. */
  readonly scope: Scope;
  readonly diagnostics: Diagnostics;
  /** A name for the program of a hyper-parameter's schedule. */
  readonly nameSchedule: (hyperParameter: string) => string;
}

/** Undefined if there are errors, which are reported. */
export function elaborateOptimizer(
  value: SyntaxExpression,
  context: OptimizerContext,
): Optimizer | undefined {
  const found = findOptimizer(value, context);
  if (found === undefined) return undefined;
  const { use, definition, home } = found;
  const { diagnostics } = context;
  const builder = new UpdateBuilder(definition.name.text, value.span, diagnostics);
  // what defaults and first values are made of: there a rate is the number that was written
  const constants = new Scope(home);
  const schedules = new Map<string, Program>();
  let sound = true;
  const bound = bindArguments(definition, use, diagnostics);
  for (const hyper of bound) {
    const done = bindHyperParameter(hyper, definition, constants, builder, context, schedules);
    if (!done) sound = false;
  }
  if (!sound || bound.length < definition.parameters.length) return undefined;

  if (!namesAreFree(definition, ['p', 'g', ...scalars], diagnostics)) return undefined;
  const scope = new Scope(home);
  for (const [name, entry] of constants.ownValues()) scope.define(name, entry);
  // the number that is written, scaled: it comes from outside
  const rate = constants.own(rateName);
  if (rate !== undefined) builder.scalar(rateName, scope, rate.span);
  builder.parameter('p', 'parameter', count, scope, definition.span);
  builder.parameter('g', 'input', count, scope, definition.span);
  for (const name of scalars) builder.scalar(name, scope, definition.span);
  elaborateItems(definition, scope, constants, builder);
  const program = builder.program([]);
  if (program === undefined) return undefined;
  const live = livePart(program, [nextOf('p')]);
  const used = new Map([...schedules].filter(([name]) => live.tensors.has(name)));
  const written = used.get(rateName) ?? (live.tensors.has(rateName) ? constantIn(rate) : undefined);
  return {
    name: definition.name.text,
    program: live,
    perParameter: reducesOverCount(live),
    schedules: used,
    ...(written !== undefined && { rate: written }),
  };
}

const foundInstead: Readonly<
  Record<Exclude<SyntaxExpression['kind'], 'call' | 'reference' | 'error'>, string>
> = {
  number: 'a number',
  string: 'a string',
  list: 'a list',
  read: 'a read',
  unary: 'a number',
  binary: 'a formula',
  conditional: 'a conditional',
};

function findOptimizer(
  value: SyntaxExpression,
  { scope, diagnostics }: OptimizerContext,
): { use: Use; definition: OptimizerDefinition; home: Scope } | undefined {
  if (value.kind === 'error') return undefined;
  if (value.kind !== 'call' && value.kind !== 'reference') {
    diagnostics.error('E308', value.span, `expected an optimizer, found ${foundInstead[value.kind]}`, {
      hint:
        value.kind === 'string'
          ? 'leave out the quotes: `optimizer: adam(rate = 1e-3)`'
          : 'write `optimizer: adam(rate = 1e-3)`',
    });
    return undefined;
  }
  const { text, span } = value.kind === 'call' ? value.callee : value.name;
  const entry = scope.lookupCallable(text);
  if (entry?.definition.kind === 'optimizer') {
    entry.used = true;
    return { use: value, definition: entry.definition, home: entry.scope };
  }
  if (entry !== undefined) {
    diagnostics.error('E204', span, `\`${text}\` is a ${entry.definition.kind}, not an optimizer`);
    return undefined;
  }
  const optimizers = scope
    .visible('callables')
    .filter((name) => scope.lookupCallable(name)?.definition.kind === 'optimizer');
  diagnostics.error('E201', span, `there is no optimizer \`${text}\``, knownNames(text, optimizers));
  return undefined;
}

/** A constant, or a scalar that a schedule computes. False if it has an error. */
function bindHyperParameter(
  hyper: Bound,
  definition: OptimizerDefinition,
  scope: Scope,
  builder: UpdateBuilder,
  context: OptimizerContext,
  schedules: Map<string, Program>,
): boolean {
  const { diagnostics } = context;
  const { name, expression, span } = hyper;
  const place = hyper.given ? context.scope : scope;
  if (usesSchedule(expression, place)) {
    const program = elaborateSchedule(context.nameSchedule(name), expression, place, diagnostics);
    if (program === undefined) return false;
    schedules.set(name, program);
    builder.scalar(name, scope, span);
    return true;
  }
  const value = builder.evaluator(place, `\`${name}\` of \`${definition.name.text}\``)(expression);
  if (value === undefined || !checkHyperParameter(definition, hyper, value, diagnostics)) return false;
  scope.define(name, { kind: 'value', value: constantValue(value), span, used: true });
  return true;
}

function constantIn(entry: Entry | undefined): number | undefined {
  return entry?.kind === 'value' && entry.value.kind === 'value' ? entry.value.constant : undefined;
}

/** @param constants the hyper-parameters as they are known at compile time */
function elaborateItems(
  definition: OptimizerDefinition,
  scope: Scope,
  constants: Scope,
  builder: UpdateBuilder,
): void {
  const { diagnostics } = builder;
  const axesOf = new Map<string, readonly string[]>([['p', [count]]]);
  for (const item of definition.items) {
    if (item.kind !== 'state') continue;
    const axes = item.scalar ? [] : [count];
    const evaluate = builder.evaluator(constants, `the first value of \`${item.name.text}\``);
    const initializer = elaborateInitializer(item.initializer, axes, { evaluate, diagnostics });
    builder.state(item, axes, initializer, scope);
    axesOf.set(item.name.text, axes);
  }
  const assigned = new Map<string, Assignment>();
  for (const item of definition.items) {
    if (item.kind !== 'assignment') continue;
    const name = item.name.text;
    const value = elaborateExpression(item.value, scope, builder.elaboration);
    if (!name.endsWith("'")) builder.local(name, value, item, scope);
    else {
      const axes = axesOf.get(name.slice(0, -1));
      if (axes === undefined) builder.reportNoState(item, [...axesOf.keys()]);
      else builder.assignNext(name, axes, value, item, scope);
      assigned.set(name, item);
    }
  }
  if (!assigned.has(nextOf('p'))) {
    diagnostics.error(
      'E210',
      definition.name.span,
      `optimizer \`${definition.name.text}\` does not give \`p'\`, the next value of the parameter`,
      { hint: "for example `p' = p - rate * g`" },
    );
  }
}

/** True if a statement reduces over the run, so that a run must be one parameter tensor. */
function reducesOverCount(program: Program): boolean {
  return program.statements.some(
    (statement) => !isScatter(statement) && reducedIndices(statement).some((index) => index.extent === count),
  );
}
