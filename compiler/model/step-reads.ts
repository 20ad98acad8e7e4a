/** Reads of a tensor of a `scan` block inside that block: at an earlier step, or at the present one if it is computed. */
import { fetchIndex, isPlainIndex, read } from '../graph/expressions.ts';
import { stepRead } from '../graph/scan.ts';
import type { IndexExpression } from '../graph/types.ts';
import type { IndexedRead } from '../syntax/tree.ts';
import { knownOf } from './bounds.ts';
import { collecting, whereInside } from './inner-reads.ts';
import type { Elaboration, InnerPlace, StepFrame } from './elaboration.ts';
import { counted, indicesOf, textOf } from './reads.ts';
import type { IndexAt } from './reads.ts';
import type { Scope, ValueEntry } from './scope.ts';
import { errorValue } from './values.ts';
import type { Result } from './values.ts';

type RecurrentEntry = Extract<ValueEntry, { kind: 'recurrent' }>;

export function elaborateStepRead(
  syntax: IndexedRead,
  entry: RecurrentEntry,
  scope: Scope,
  elaboration: Elaboration,
): Result {
  entry.used = true;
  const { tensor, span: declared } = entry;
  const inner: InnerPlace[] = [];
  const indices = collecting(syntax.outside ? inner : elaboration.frame?.inner, elaboration, () =>
    syntax.indices.flatMap((index) => indicesOf(index, scope, elaboration)),
  );
  const name = textOf(syntax.tensor);
  if (indices.length !== tensor.axes.length) {
    const axes = counted(tensor.axes.length, 'axis', 'axes');
    const given = counted(indices.length, 'index', 'indices');
    elaboration.error('E302', syntax.span, `\`${name}\` has ${axes}, but is read with ${given}`, {
      notes: [{ span: declared, message: `\`${name}\` is computed here` }],
      hint: 'give one index for each axis',
    });
    return errorValue;
  }
  const at: IndexExpression[] = [];
  if (typeof syntax.outside?.value === 'string') {
    const message = `\`${name}\` is computed step by step here, and not all that \`${syntax.outside.value}\` would read is there yet`;
    elaboration.error('E406', syntax.outside.span, message, {
      notes: [{ span: declared, message: `\`${name}\` is computed here` }],
      hint: `give places outside a number, \`else 0\`, or write the place that is meant: \`i == 0 ? ${name}[..., 0] : ${name}[..., i - 1]\``,
    });
    return errorValue;
  }
  let outside = syntax.outside?.value;
  for (const [axis, given] of indices.entries()) {
    const { index } = given;
    if (index === undefined) return errorValue;
    if (axis === tensor.stepAxis && !isComputed(index, given, entry, name, elaboration)) return errorValue;
    const known = knownOf(index, elaboration);
    if (known.length > 0) outside ??= 0;
    constrain(index, given, axis, { entry, name, padded: syntax.outside !== undefined }, elaboration);
    at.push(index);
  }
  const isPlace = tensor.isWhole && outside === undefined;
  return {
    kind: 'value',
    axes: [],
    body: whereInside(inner, read(tensor.name, at, outside), outside ?? 0),
    ...(isPlace ? { index: fetchIndex(tensor.name, at) } : {}),
  };
}

/** Reports E406 for a step that is not computed when it is read. */
function isComputed(
  index: IndexExpression,
  { syntax }: IndexAt,
  { tensor, span: declared }: RecurrentEntry,
  name: string,
  elaboration: Elaboration,
): boolean {
  const step = elaboration.frame?.step;
  if (step === undefined) return false;
  const when = stepRead(index, { group: '', index: step.index, reversed: step.reversed });
  if (when === 'earlier' || (when === 'same' && tensor.place < step.place)) return true;
  const isOwn = when === 'same' && tensor.place === step.place;
  const message =
    when === 'other'
      ? `this step of \`${name}\` is not computed yet`
      : `\`${name}\` is read at the step at which it is computed${isOwn ? '' : ', but further down'}`;
  elaboration.error('E406', syntax.span, message, {
    notes: [{ span: declared, message: `\`${name}\` is computed here` }],
    hint: hintFor(step, when, isOwn, elaboration),
  });
  return false;
}

function hintFor(
  { index, reversed }: StepFrame,
  when: 'same' | 'earlier' | 'other',
  isOwn: boolean,
  { variables }: Elaboration,
): string {
  const t = variables.nameOf(index);
  const before = `${t} ${reversed ? '+' : '-'} 1`;
  if (when === 'same')
    return isOwn ? `read the step before: \`${before}\`` : `move its statement up, or read \`${before}\``;
  return reversed
    ? `a reversed scan reads at \`${t} + 1\`, \`${t} + 2\`, ...; to read at \`${t} - 1\` write \`scan ${t}\``
    : `a scan reads at \`${t} - 1\`, \`${t} - 2\`, ...; to read at \`${t} + 1\` write \`scan ${t} reversed\``;
}

interface StepRead {
  readonly entry: RecurrentEntry;
  readonly name: string;
  readonly padded: boolean;
}

/**
 * An index that stands alone runs as far as the axis does, which is known when the block is; arithmetic, and an index
 * whose extent is written out, are checked then.
 */
function constrain(
  index: IndexExpression,
  { syntax }: IndexAt,
  axis: number,
  { entry, name, padded }: StepRead,
  elaboration: Elaboration,
): void {
  const { variables, frame } = elaboration;
  const { span } = syntax;
  const own = entry.tensor.axes[axis] ?? '';
  const alone = isPlainIndex(index);
  if (alone !== undefined && padded) frame?.step?.alike.push({ index: alone, axis: own });
  else if (alone !== undefined && !variables.isGiven(alone)) {
    const conflict = variables.link(own, alone);
    if (conflict === undefined) return;
    const [first, second] = conflict;
    const message = `index \`${variables.nameOf(alone)}\` runs over ${second.extent} places, but axis ${axis + 1} of \`${name}\` has ${first.extent}`;
    elaboration.error('E301', span, message, {
      notes: [first, second].map((source) => ({ span: source.span, message: source.what })),
    });
  } else if (!padded) {
    frame?.checks.push({
      index,
      get extent() {
        return variables.extentOf(own) ?? Infinity;
      },
      span,
      what: `axis ${axis + 1} of \`${name}\``,
      known: knownOf(index, elaboration),
      late: true,
      hint: `give places outside a value, \`${name}[...] else 0\`, or say when it is read: \`${variables.nameOf(own)} == 0 ? ... : ${name}[...]\``,
    });
  }
}
