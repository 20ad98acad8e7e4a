/**
 * Where things stand in the user's text. Every syntax node, statement and diagnostic carries a Span, so that an
 * error, an emitted comment and a run-time report can all name `digits.dsl:12:3`.
 */

/** One text that the compiler was given. `path` is what the user calls it; nothing is read from it. */
export interface Source {
  readonly path: string;
  readonly text: string;
  /** True for what comes with the compiler: what is wrong there is wrong with how it was called. */
  readonly library?: boolean;
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

/** The offset of the first character of each line. */
const lineStarts = new WeakMap<Source, readonly number[]>();

function lineStartsOf(source: Source): readonly number[] {
  const known = lineStarts.get(source);
  if (known !== undefined) return known;
  const starts = [0, ...Array.from(source.text.matchAll(/\n/g), (match) => match.index + 1)];
  lineStarts.set(source, starts);
  return starts;
}

/** The line and column of an offset; an offset past the end is the end. */
export function positionAt(source: Source, offset: number): Position {
  const starts = lineStartsOf(source);
  const at = Math.max(0, Math.min(offset, source.text.length));
  let line = 0;
  // the last line that starts at or before the offset
  for (let above = starts.length; above - line > 1;) {
    const middle = (line + above) >> 1;
    if ((starts[middle] ?? Infinity) <= at) line = middle;
    else above = middle;
  }
  return { line: line + 1, column: at - (starts[line] ?? 0) + 1 };
}

/** The text of a line (counted from 1) without its end; empty if there is no such line. */
export function lineAt(source: Source, line: number): string {
  const starts = lineStartsOf(source);
  const start = starts[line - 1] ?? source.text.length;
  const next = starts[line];
  return source.text.slice(start, next === undefined ? undefined : next - 1).replace(/\r$/, '');
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

/** What stands there. */
export function textOf({ source, start, end }: Span): string {
  return source.text.slice(start, end);
}
