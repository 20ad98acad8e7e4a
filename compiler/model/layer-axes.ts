/** The axes that a layer declares for a tensor, `[.., i]`, `[n, _, 3]`, and those that it is given. */
import { textOf } from '../diagnostics/source.ts';
import type { Span } from '../diagnostics/source.ts';
import type { Extent } from '../graph/types.ts';
import type { SyntaxAxis } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { shapeText } from './values.ts';

export interface AxesMatch {
  readonly what: string;
  readonly span: Span;
  /** True: unknown names are bound to the sizes found; false: all must be known. */
  readonly bind: boolean;
  readonly declared?: Span;
}

/** Matches declared axes (`[.., i]`, `[n, _, 3]`) with extents. Reports E302, E301, E305, E307. */
export function matchAxes(
  declared: readonly SyntaxAxis[],
  extents: readonly Extent[],
  inner: Scope,
  elaboration: Elaboration,
  match: AxesMatch,
): boolean {
  const { what, span } = match;
  const rests = declared.filter(({ kind }) => kind === 'rest').length;
  const fixed = declared.length - rests;
  const notes = (place: Span) => [{ span: match.declared ?? place, message: 'declared here' }];
  if (extents.length < fixed || (rests === 0 && extents.length > fixed)) {
    const shape = shapeText(extents.map((extent) => ({ extent })));
    const found = extents.length === 0 ? 'is a single number' : `has the shape ${shape}`;
    elaboration.error(
      'E302',
      span,
      `\`${what}\` must have ${rests ? 'at least ' : ''}${fixed} ${fixed === 1 ? 'axis' : 'axes'}, but ${found}`,
      {
        notes: match.declared ? [{ span: match.declared, message: 'declared here' }] : [],
      },
    );
    return false;
  }
  let spare = extents.length - fixed;
  let remaining = rests;
  let at = 0;
  let sound = true;
  for (const axis of declared) {
    if (axis.kind === 'rest') {
      // several `..` share what there is: the first takes it all but one axis for each that follows
      remaining--;
      const count = Math.max(0, spare - remaining);
      spare -= count;
      if (rests === 1)
        sound = matchRest(extents.slice(at, at + count), axis.span, inner, elaboration, match) && sound;
      at += count;
      continue;
    }
    const extent = extents[at++] ?? 0;
    if (match.bind && rests > 0 && remaining === 0 && typeof extent === 'string') {
      reportOpenAfterRest(extent, at, elaboration, match);
      return false;
    }
    if (axis.kind === 'any') continue;
    const { value } = axis;
    const isName = value.kind === 'reference';
    if (match.bind && isName && inner.own(value.name.text) === undefined) {
      inner.define(value.name.text, { kind: 'size', extent, span: axis.span, used: false });
      continue;
    }
    const expected = elaborateSize(value, inner, elaboration);
    if (expected === undefined) return false;
    if (expected === extent) continue;
    const bound = isName ? inner.own(value.name.text) : undefined;
    const isElsewhere = bound?.kind === 'size' && bound.span !== axis.span;
    const wanted =
      isElsewhere && isName ? `\`${value.name.text}\` is ${expected}` : `${expected} is declared`;
    elaboration.error('E301', span, `axis ${at} of \`${what}\` is ${extent}, but ${wanted}`, {
      notes: [
        ...notes(axis.span),
        ...(isElsewhere
          ? [{ span: bound.span, message: `\`${textOf(bound.span)}\` is ${expected} here` }]
          : []),
      ],
    });
    sound = false;
  }
  return sound;
}

/**
 * The rows of a batch are what `..` stands for. In `gru(x)` with `x[n, 8]` for `x[.., t, i]` they would be the steps, and each
 * row would depend on those before it.
 */
function reportOpenAfterRest(
  open: string,
  at: number,
  elaboration: Elaboration,
  { what, span, declared }: AxesMatch,
): void {
  const header = declared && textOf(declared);
  elaboration.error(
    'E305',
    span,
    `axis ${at} of \`${what}\` is the open dimension \`${open}\`, which \`..\` must stand for`,
    {
      notes: declared ? [{ span: declared, message: 'declared here' }] : [],
      hint: header
        ? `give a tensor of the shape \`${header.replace('..', open)}\``
        : 'give a tensor with its rows first',
    },
  );
}

/** `..` is bound by the first tensor that has it; the others must have the same axes there. */
function matchRest(
  extents: readonly Extent[],
  declared: Span,
  inner: Scope,
  elaboration: Elaboration,
  match: AxesMatch,
): boolean {
  const { rest } = inner;
  if (rest === undefined) {
    if (match.bind) inner.rest = { extents };
    return true;
  }
  const same =
    rest.extents.length === extents.length && rest.extents.every((extent, axis) => extent === extents[axis]);
  if (same) return true;
  const [found, expected] = [extents, rest.extents].map((list) =>
    shapeText(list.map((extent) => ({ extent }))),
  );
  elaboration.error(
    'E307',
    match.span,
    `\`..\` of \`${match.what}\` is ${found}, but ${expected} elsewhere`,
    {
      notes: [{ span: declared, message: 'declared here' }],
    },
  );
  return false;
}
