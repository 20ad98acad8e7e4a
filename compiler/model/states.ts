/** States of models and layers: what is kept from step to step, such as running statistics. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Assignment, LayerItem, ModelItem } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';
import { didYouMean } from './scope.ts';
import { elaborateStatement } from './statements.ts';
import { shapeText } from './values.ts';

export const isNext = (name: string): boolean => name.endsWith("'");

/**
 * `mean' = ...`: the value of the state in the next step, a statement of its own whose target is the state's name with a
 * prime. In inference states do not change: there the next value is the state. False after a report.
 */
export function elaborateNext(item: Assignment, scope: Scope, elaboration: Elaboration): boolean {
  const { name, bindings, value, span } = item;
  const state = scope.own(name.text.slice(0, -1));
  const fails = (): boolean => {
    scope.define(name.text, { kind: 'error', span: name.span, used: true });
    return false;
  };
  if (state?.kind === 'error') return fails();
  if (state?.kind !== 'tensor' || state.tensor.role !== 'state') {
    reportNoState(item, scope, elaboration);
    return fails();
  }
  const { tensor } = state;
  if (elaboration.training === false) {
    scope.define(name.text, { kind: 'tensor', tensor, span: name.span, used: true });
    return true;
  }
  const axes = tensor.axes.map((extent, axis) => ({ extent, name: tensor.axisNames[axis] ?? '' }));
  const next = elaborateStatement(
    {
      target: `${tensor.name}'`,
      stem: `${tensor.name}_next`,
      value,
      span,
      axes,
      real: true,
      ...(bindings ? { bindings } : {}),
    },
    scope,
    elaboration,
  );
  if (next === undefined) return fails();
  if (next.axes.join() !== tensor.axes.join()) {
    const [found, expected] = [next, tensor].map((each) =>
      shapeText(each.axes.map((extent) => ({ extent }))),
    );
    elaboration.error('E307', span, `\`${name.text}\` is ${found}, but its state is ${expected}`, {
      notes: [{ span: tensor.span, message: `\`${state.tensor.name}\` is declared here` }],
    });
    return fails();
  }
  scope.define(name.text, { kind: 'tensor', tensor: next, span: name.span, used: true });
  return true;
}

function reportNoState({ name }: Assignment, scope: Scope, elaboration: Elaboration): void {
  const text = name.text.slice(0, -1);
  const states = [...scope.ownValues()].flatMap(([other, entry]) =>
    entry.kind === 'tensor' && entry.tensor.role === 'state' ? [other] : [],
  );
  const known = scope.own(text);
  elaboration.error('E201', name.span, `there is no state \`${text}\``, {
    notes: known ? [{ span: known.span, message: `\`${text}\` is defined here` }] : [],
    hint: didYouMean(text, states) ?? `only states have next values; declare it: \`state ${text} ~ zeros\``,
  });
}

/** W703 for every state of a block that has no statement for its next value. */
export function warnNeverUpdated(items: readonly (ModelItem | LayerItem)[], diagnostics: Diagnostics): void {
  const updated = new Set(items.flatMap((item) => (item.kind === 'assignment' ? [item.name.text] : [])));
  for (const item of items) {
    if (item.kind !== 'state' || updated.has(`${item.name.text}'`)) continue;
    const { text, span } = item.name;
    const known = diagnostics.list.some((other) => other.code === 'W703' && other.span.start === span.start);
    if (known) continue;
    diagnostics.warning('W703', span, `state \`${text}\` is never given a next value`, {
      hint: `add a statement \`${text}' = ...\`; what stays the same is a frozen parameter or a number`,
    });
  }
}
