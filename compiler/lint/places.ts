/** Where a warning of a formula is shown, and how it is said that it is meant so. */
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostics, Note } from '../diagnostics/diagnostic.ts';
import { placeOf } from '../diagnostics/source.ts';
import type { Source, Span } from '../diagnostics/source.ts';
import { reads } from '../graph/expressions.ts';
import type { Origin, Program, Tensor } from '../graph/types.ts';
import { is } from '../syntax/tokens.ts';
import type { Token } from '../syntax/tokens.ts';
import { tokensIn } from '../syntax/words.ts';

/** The one call of a function in the text of a statement, and what is in its brackets; undefined if there are several. */
export function callIn(
  { span }: Origin,
  name: string,
): { readonly span: Span; readonly argument: string } | undefined {
  const tokens = tokensIn(span);
  const opened = (at: number): boolean =>
    tokens[at]?.kind === 'name' && tokens[at].text === name && is(tokens[at + 1], '(');
  const [first, second] = [...tokens.keys()].filter(opened);
  if (first === undefined || second !== undefined) return undefined;
  let depth = 0;
  for (let at = first + 1; at < tokens.length; at++) {
    if (is(tokens[at], '(')) depth++;
    if (is(tokens[at], ')')) depth--;
    const [begin, end] = [tokens[first], tokens[at]];
    if (depth > 0 || begin === undefined || end === undefined) continue;
    const argument = written(tokens.slice(first + 2, at), span.source);
    return { span: { source: span.source, start: begin.start, end: end.end }, argument };
  }
  return undefined;
}

/** Tokens as they are written, without what is a comment and with one blank for several. */
function written(tokens: readonly Token[], source: Source): string {
  return tokens
    .map(({ start, end }, k) => {
      const before = tokens[k - 1];
      return `${before === undefined || before.end === start ? '' : ' '}${source.text.slice(start, end)}`;
    })
    .join('');
}

/**
 * Where a tensor's first values are decided, and how others are written there: where it is declared, or where a layer of the
 * library is called that declares it.
 */
export function placeOfFirstValues(
  { name, span }: Tensor,
  { statements }: Pick<Program, 'statements'>,
): { readonly span: Span; readonly notes: readonly Note[]; readonly write: (initializer: string) => string } {
  const declared = { span, notes: [], write: (initializer: string) => `~ ${initializer}` };
  if (span.source.library !== true) return declared;
  const reader = statements.find(({ body }) => reads(body).some(({ tensor }) => tensor === name));
  const call = reader?.origin.calls.findLast(({ source }) => source.library !== true);
  if (call === undefined) return declared;
  const notes = [{ span, message: `the parameter, at ${placeOf(span)}` }];
  return { span: call, notes, write: (initializer) => `init = ${initializer}` };
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
