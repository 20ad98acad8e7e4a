/** @file What an emitter hands over: the parts of a module, each with the places in the model that its code comes from. */
import { textOf, type Source, type Span } from '../diagnostics/source.ts';
import type { Origin, Statement } from '../graph/types.ts';
import type { Model } from '../model/types.ts';

/** A place in the user's text. */
export interface Place {
  readonly source: Source;
  /** Of its first character, in UTF-16 units. */
  readonly offset: number;
}

/** From this word on (see words.ts), counted from 0, to the next mark, the code of a section comes from a place. */
export interface Mark {
  readonly word: number;
  readonly place: Place;
}

/** A part of a module that stands for itself. */
export interface Section {
  readonly text: string;
  /** In the order of their words; none where the code is of no statement. Only a source map asks for them. */
  readonly marks: () => readonly Mark[];
}

export const startOf = ({ source, start }: Span): Place => ({ source, offset: start });

/** The name of a model where it is defined: for what is of none of its statements. */
export function nameOf({ name, span }: Pick<Model, 'name' | 'span'>): Place {
  return { source: span.source, offset: span.start + Math.max(0, textOf(span).indexOf(name)) };
}

/** The spans that are the user's own, outermost first: library layers are where they are called. */
function ownSpans({ span, calls }: Origin): readonly Span[] {
  return [...calls, span].filter(({ source }) => source.library !== true);
}

/** The line of the model itself: where a layer is called, not where it is defined. */
export function outermostPlace(origin: Origin): Place | undefined {
  const [span] = ownSpans(origin);
  return span && startOf(span);
}

/**
 * Where a statement is in the user's text. Of its gradient, it is the place after the first `=`; of the gradient by a tensor
 * that the user names there, this name. So a breakpoint on the line stops in the statement and one on a column in its gradient.
 * The gradient by a layer's parameter, put together of several parts, has no place but the library's: then there is none.
 */
export function innermostPlace({ target, phase }: Statement, origin: Origin): Place | undefined {
  const span = ownSpans(origin).at(-1);
  if (span === undefined) return undefined;
  if (phase !== 'backward') return startOf(span);
  const { source, start, end } = span;
  const text = withoutComments(source.text.slice(start, end));
  const equals = afterEquals(text);
  if (equals === undefined) return { source, offset: end };
  return { source, offset: start + equals + (placeOfName(namesOfPrimal(target), text.slice(equals)) ?? 0) };
}

/**
 * Of which tensor a cotangent may be, first the likeliest: `dh_1` is of `h_1`, or a part of that of `h`. If the formula has both
 * names, the first is right, since no part is called as the cotangent of another tensor.
 */
function namesOfPrimal(cotangent: string): string[] {
  const names: string[] = [];
  for (let [, name] = /^d(.+)$/.exec(cotangent) ?? []; name !== undefined;) {
    names.push(name);
    name = /^(.+)(?:_\d+|_sum)$/.exec(name)?.[1];
  }
  return names;
}

/** Where the first of these names stands that stands there at all. */
function placeOfName(names: readonly string[], text: string): number | undefined {
  const words = [...text.matchAll(/[A-Za-z_][\w']*/g)];
  for (const name of names) {
    const found = words.find(([word]) => word === name);
    if (found !== undefined) return found.index;
  }
  return undefined;
}

/** Every place stays where it is. */
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\/[^\n]*/g, (comment) => ' '.repeat(comment.length));

/** Where the right side of a definition begins; undefined in the name of a layer that is called. */
function afterEquals(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/[([{]|[)\]}]|[=<>!]=|=\s*/g)) {
    if ('([{'.includes(token)) depth++;
    else if (')]}'.includes(token)) depth--;
    else if (depth === 0 && token.trim() === '=') return index + token.length;
  }
  return undefined;
}
