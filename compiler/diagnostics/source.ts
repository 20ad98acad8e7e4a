/**
 * Where things stand in the user's text. Every syntax node, statement and diagnostic carries a Span, so that an
 * error, an emitted comment and a run-time report can all name `digits.dsl:12:3`.
 */

/** One text that the compiler was given. `path` is what the user calls it; nothing is read from it. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** A half-open range of UTF-16 offsets in a source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Line and column, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The line and column of an offset; an offset past the end is the end. */
export function positionAt(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}

/** The smallest span that covers both (of one source). */
export function join(first: Span, last: Span): Span {
  return {
    source: first.source,
    start: Math.min(first.start, last.start),
    end: Math.max(first.end, last.end),
  };
}

/** `digits.dsl:12`, with the file's last path segment only: what emitted comments show. */
export function placeOf(span: Span): string {
  const name = span.source.path.split(/[\\/]/).at(-1) ?? span.source.path;
  return `${name}:${positionAt(span.source, span.start).line}`;
}
