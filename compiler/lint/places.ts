/** Where a warning of a formula is shown, and how it is said that it is meant so. */
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { placeOf, textOf } from '../diagnostics/source.ts';
import type { Span } from '../diagnostics/source.ts';
import type { Origin } from '../graph/types.ts';

/** The one call of a function in the text of a statement, and what is in its brackets; undefined if there are several. */
export function callIn(
  { span }: Origin,
  name: string,
): { readonly span: Span; readonly argument: string } | undefined {
  if (!/^\w+$/.test(name)) return undefined;
  const text = textOf(span);
  const [first, second] = [...text.matchAll(new RegExp(`(?<![\\w.])${name}\\(`, 'g'))];
  if (first === undefined || second !== undefined) return undefined;
  let depth = 0;
  for (let at = first.index + name.length; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')') depth--;
    if (depth > 0) continue;
    const argument = text.slice(first.index + name.length + 1, at).replaceAll(/\s+/g, ' ');
    return {
      span: { source: span.source, start: span.start + first.index, end: span.start + at + 1 },
      argument,
    };
  }
  return undefined;
}

/**
 * A warning of a statement: at the place in the model; what a layer's formula says is noted there. Once for one place and
 * one message, though a layer may be called more than once.
 */
export function reportAt(
  { span, calls }: Origin,
  part: Span | undefined,
  code: DiagnosticCode,
  message: string,
  hint: string,
  diagnostics: Diagnostics,
): void {
  const own = part ?? span;
  const [call] = calls;
  const shown = call ?? own;
  const isKnown = diagnostics.list.some(
    (other) =>
      other.code === code &&
      other.span.source === shown.source &&
      other.span.start === shown.start &&
      other.message === message,
  );
  if (isKnown) return;
  const notes = call === undefined ? [] : [{ span: own, message: `the formula, at ${placeOf(own)}` }];
  diagnostics.warning(code, shown, message, { hint, notes });
}
