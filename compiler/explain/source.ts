/** @file Places as a reader sees them, and the lines of the model with what became of them. */
import { lineAt, positionAt, type Source, type Span } from '../diagnostics/source.ts';
import type { Origin } from '../graph/types.ts';
import type { Place } from './types.ts';

export function placeAt({ source, start, end }: Span): Place {
  const from = positionAt(source, start);
  const to = positionAt(source, end);
  const text = lineAt(source, from.line);
  return {
    file: source.path.split(/[\\/]/).at(-1) ?? source.path,
    line: from.line,
    text,
    start: from.column - 1,
    end: to.line === from.line ? to.column - 1 : text.length,
  };
}

/** Where in the model a statement comes from: the call of a layer, or the statement itself. */
export function siteOf(origin: Origin, source: Source): Span {
  return (
    [...origin.calls, origin.span].find((span) => span.source === source) ?? origin.calls[0] ?? origin.span
  );
}
