/** What a name stands for in an expression: a tensor, a size, an index, a number. */
import { indexOf, substituteIndices } from '../graph/expressions.ts';
import type { Span } from '../diagnostics/source.ts';
import type { Reference } from '../syntax/tree.ts';
import { builtInNames } from './calls.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope, ValueEntry } from './scope.ts';
import { didYouMean } from './scope.ts';
import { isNext } from './states.ts';
import { constantValue, errorValue, indexAsValue, sizeValue, tensorValue } from './values.ts';
import type { Result, Value } from './values.ts';

/** Names that mean a number wherever nothing else has the name. */
const namedConstants: Readonly<Record<string, number>> = {
  pi: Math.PI,
  e: Math.E,
  inf: Infinity,
  true: 1,
  false: 0,
};

export function elaborateReference(
  { name, span }: Reference,
  scope: Scope,
  elaboration: Elaboration,
): Result {
  if (name.text === '..') {
    elaboration.error('E308', span, '`..` stands for axes and is no value', {
      hint: 'it is an index of a read, `x[.., i]`, or what a reduction runs over; `extent(..)` is the number of places',
    });
    return errorValue;
  }
  const entry = scope.lookup(name.text);
  if (entry) return entryValue(entry, scope, span, elaboration);
  const number = Object.hasOwn(namedConstants, name.text) ? namedConstants[name.text] : undefined;
  if (number !== undefined && scope.lookupPending(name.text) === undefined)
    return constantValue(number, name.text);
  if (name.text === 'training') return trainingValue(span, elaboration);
  reportUnknown(name.text, span, scope, elaboration);
  return errorValue;
}

/** 1 while the statements that are trained are elaborated, 0 for those of inference. */
function trainingValue(span: Span, elaboration: Elaboration): Result {
  elaboration.readsTraining = true;
  if (elaboration.training !== undefined) return constantValue(elaboration.training ? 1 : 0);
  elaboration.error('E201', span, '`training` is known in models and layers only', {
    hint: 'an optimizer or a schedule runs in training alone; sizes of a file are the same in both modes',
  });
  return errorValue;
}

/** What a name that is in scope stands for. */
export function entryValue(entry: ValueEntry, scope: Scope, span: Span, elaboration: Elaboration): Result {
  entry.used = true;
  switch (entry.kind) {
    case 'tensor':
      // in inference it is the state itself
      if (isNext(entry.tensor.name)) elaboration.readsTraining = true;
      return tensorValue(entry.tensor, elaboration.variables);
    case 'size':
      return sizeValue(entry.extent);
    case 'index':
      return indexAsValue(entry.variable);
    case 'error':
      return errorValue;
    case 'initializer': {
      const name = span.source.text.slice(span.start, span.end);
      elaboration.error('E503', span, `\`${name}\` says how a parameter begins and is no number`, {
        notes: [{ span: entry.span, message: 'given here' }],
        hint: `it stands after \`~\`, or is handed on to another layer: \`dense(10, init = ${name})\``,
      });
      return errorValue;
    }
    case 'recurrent': {
      const name = span.source.text.slice(span.start, span.end);
      elaboration.error('E406', span, `\`${name}\` is computed step by step in this scan`, {
        notes: [{ span: entry.span, message: 'computed here' }],
        hint: `read it with its indices, at an earlier step: \`${name}[..., t - 1, ...] else 0\``,
      });
      return errorValue;
    }
    case 'value': {
      const { value, binder } = entry;
      if (value.kind === 'error' || binder === undefined) return value;
      // inside `sum[k](...)` of a fn with binder k, the k of an argument is the bound one
      const now = scope.lookup(binder.name);
      if (now?.kind !== 'index' || now.variable === binder.variable) return value;
      return renameIndex(value, binder.variable, now.variable, span, elaboration);
    }
  }
}

/** The value with one index variable for another, which from then on run over the same values. */
export function renameIndex(
  value: Value,
  from: string,
  to: string,
  span: Span,
  elaboration: Elaboration,
): Value {
  const body = substituteIndices(value.body, new Map([[from, indexOf(to)]]));
  if (body === value.body) return value;
  const conflict = elaboration.variables.link(from, to);
  if (conflict) {
    const [first, second] = conflict;
    const name = elaboration.variables.nameOf(to);
    elaboration.error(
      'E301',
      span,
      `index \`${name}\` runs over both ${first.extent} and ${second.extent} places`,
      {
        notes: [first, second].map((source) => ({ span: source.span, message: source.what })),
      },
    );
  }
  const index = value.index && substituteIndices(value.index, new Map([[from, indexOf(to)]]));
  return { kind: 'value', axes: value.axes, body, ...(index === undefined ? {} : { index }) };
}

/** Reports a name that means nothing here: E203 if it will later, else E201. */
export function reportUnknown(name: string, span: Span, scope: Scope, elaboration: Elaboration): void {
  const later = scope.lookupPending(name);
  if (later) {
    const inside = later.source === span.source && later.start <= span.start && span.end <= later.end;
    elaboration.error(
      'E203',
      span,
      `\`${name}\` is used ${inside ? 'in its own' : 'before its'} definition`,
      {
        notes: [{ span: later, message: `\`${name}\` is defined here` }],
        hint: inside ? 'give the new value another name' : 'move the definition up',
      },
    );
    return;
  }
  const maker = scope.pendingFor(name);
  if (maker) {
    elaboration.error('E203', span, `\`${name}\` is not made yet`, {
      notes: [{ span: maker.span, message: `\`${maker.name}\` is defined here` }],
      hint: 'its parameters can be read in the statements after it',
    });
    return;
  }
  if (scope.lookupCallable(name) || builtInNames.includes(name)) {
    elaboration.error('E308', span, `\`${name}\` is a function or layer, not a value`, {
      hint: `call it: \`${name}(x)\` or \`x |> ${name}\``,
    });
    return;
  }
  elaboration.error('E201', span, `there is no \`${name}\` here`, {
    hint: didYouMean(name, scope.visible('values')),
  });
}
