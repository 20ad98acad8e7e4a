/** Reductions: `sum[i, j](...)`, and over all axes of a tensor: `sum(W^2)`. */
import { binary, fetchIndex, freeIndices, indexOf, read } from '../graph/expressions.ts';
import type { Combine, Expression } from '../graph/types.ts';
import type { Binder, Call } from '../syntax/tree.ts';
import type { Definition, Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { reportIndependent } from './fn-calls.ts';
import { callThatBinds } from './recursion.ts';
import { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { bindRest } from './statements.ts';
import { constantValue, errorValue } from './values.ts';
import type { Result, Value } from './values.ts';

interface ReductionRule {
  readonly combine: Combine;
  /** The end of the name of the statement it becomes. */
  readonly label: string;
  readonly finish?: 'divide by the count';
}

const reductions: Readonly<Record<string, ReductionRule>> = {
  sum: { combine: 'sum', label: 'sum' },
  mean: { combine: 'sum', label: 'sum', finish: 'divide by the count' },
  max: { combine: 'max', label: 'max' },
  min: { combine: 'min', label: 'min' },
  prod: { combine: 'product', label: 'prod' },
  logsumexp: { combine: 'logsumexp', label: 'logsumexp' },
  argmax: { combine: 'argmax', label: 'argmax' },
  argmin: { combine: 'argmin', label: 'argmin' },
};

export const reductionNames: readonly string[] = Object.keys(reductions);

export function elaborateReduction(call: Call, scope: Scope, elaboration: Elaboration): Result {
  const name = call.callee.text;
  const rule = reductions[name];
  const [argument] = call.arguments;
  if (rule === undefined || argument === undefined || call.arguments.length > 1 || argument.name) {
    elaboration.error('E205', call.span, `\`${name}\` takes one argument`, {
      hint: `\`${name}[i](x[i])\``,
    });
    return errorValue;
  }
  const inner = new Scope(scope);
  const named = bindIndices(call.binders ?? [], inner, elaboration);
  const value = elaborateExpression(argument.value, inner, elaboration);
  if (value.kind === 'error' || named === undefined) return errorValue;
  if (call.binders === undefined) return overAllAxes(rule, value, call, elaboration);
  const free = freeIndices(value.body);
  for (const { binder, variable } of named) {
    if (free.has(variable) || binder.extent) continue;
    const { text } = binder;
    const blamed = callThatBinds(text, elaboration);
    if (blamed) {
      reportIndependent(blamed, elaboration);
      return errorValue;
    }
    elaboration.error('E401', binder.span, `index \`${text}\` does not occur in what \`${name}\` runs over`, {
      notes: [{ span: argument.value.span, message: `nothing here depends on \`${text}\`` }],
      hint: `read a tensor at \`${text}\`, leave \`${text}\` out, or say how far it runs: \`${name}[${text}: 10](...)\``,
    });
    return errorValue;
  }
  const bound = [...named.map(({ variable }) => variable), ...(inner.rest?.variables ?? [])];
  return reduced(rule, value, bound, value.axes, elaboration);
}

interface BoundIndex {
  readonly binder: Binder;
  readonly variable: string;
}

/**
 * The named index variables of a reduction, visible in its argument; those of `..` are in `inner.rest`. Undefined after
 * E404 and others.
 */
function bindIndices(
  binders: readonly Binder[],
  inner: Scope,
  elaboration: Elaboration,
): readonly BoundIndex[] | undefined {
  const bound: BoundIndex[] = [];
  for (const binder of binders) {
    const { text, span, extent: given } = binder;
    if (text === '..') {
      if (bindRest(span, inner, elaboration) === undefined) return undefined;
      continue;
    }
    const earlier = inner.own(text);
    if (earlier) {
      elaboration.error('E404', span, `index \`${text}\` is bound twice`, {
        notes: [{ span: earlier.span, message: 'first here' }],
        hint: 'each index of a reduction has a name of its own',
      });
      return undefined;
    }
    const extent = given && elaborateSize(given, inner, elaboration);
    if (given && extent === undefined) return undefined;
    // in a fn, the index that it binds is called as the caller calls it
    const outer = inner.lookup(text);
    const name = outer?.kind === 'index' ? elaboration.variables.nameOf(outer.variable) : text;
    const variable = elaboration.variables.bound(name, span, extent);
    inner.define(text, { kind: 'index', variable, span, used: false });
    bound.push({ binder, variable });
  }
  return bound;
}

function overAllAxes(rule: ReductionRule, value: Value, call: Call, elaboration: Elaboration): Result {
  if (value.axes.length > 0) {
    const bound = value.axes.map(({ variable }) => variable);
    return reduced(rule, value, bound, [], elaboration);
  }
  const name = call.callee.text;
  const [index] = [...freeIndices(value.body)].map((variable) => elaboration.variables.nameOf(variable));
  elaboration.error(
    'E401',
    call.span,
    `\`${name}\` has nothing to run over: its argument is a single number`,
    {
      hint: `name the indices, \`${name}[${index ?? 'i'}](...)\`, or give it a whole tensor`,
    },
  );
  return errorValue;
}

function reduced(
  rule: ReductionRule,
  value: Value,
  bound: readonly string[],
  axes: Value['axes'],
  elaboration: Elaboration,
): Value {
  const { combine, label } = rule;
  const isPlace = combine === 'argmax' || combine === 'argmin';
  // over the `..` of a tensor that has no leading axes
  if (bound.length === 0) return isPlace ? constantValue(0) : value;
  const free = orderedIndices(value.body, elaboration).filter((variable) => !bound.includes(variable));
  const { id } = elaboration.define({ combine, label, free, bound, body: value.body });
  const at = free.map((variable) => indexOf(variable));
  const result = read(id, at);
  if (rule.finish === undefined) {
    const place = isPlace && axes.length === 0;
    return { kind: 'value', axes, body: result, ...(place ? { index: fetchIndex(id, at) } : {}) };
  }
  return { kind: 'value', axes, body: binary('divide', result, countPlaceholder(bound)) };
}

/** The number of values of some index variables, before their extents are known. See lowering.ts. */
export function countPlaceholder(variables: readonly string[]): Expression {
  return { kind: 'extent_value', extent: variables.join('*') };
}

/** The free index variables of a body, in the order they were made. */
export function orderedIndices(body: Expression, elaboration: Elaboration): string[] {
  const { variables } = elaboration;
  return [...freeIndices(body)].toSorted((a, b) => variables.orderOf(a) - variables.orderOf(b));
}

/** A value as a tensor of its own: its axes come last, after the indices of the statement that it depends on. */
export function materialised(
  value: Value,
  label: string,
  elaboration: Elaboration,
): { readonly definition: Definition; readonly value: Value } {
  const own = value.axes.map(({ variable }) => variable);
  const outer = orderedIndices(value.body, elaboration).filter((variable) => !own.includes(variable));
  const free = [...outer, ...own];
  const definition = elaboration.define({ combine: 'assign', label, free, bound: [], body: value.body });
  const body = read(
    definition.id,
    free.map((variable) => indexOf(variable)),
  );
  return { definition, value: { kind: 'value', axes: value.axes, body } };
}
