/**
 * `// allow W705` at the end of a line, or alone on the line above: the warning of this code is meant so there, and is not shown.
 * Several codes stand one after the other: `// allow W705 W708`. What stands behind the codes is for people.
 */
import type { Diagnostic } from './diagnostic.ts';
import { lineAt, positionAt } from './source.ts';
import type { Span } from './source.ts';

/** Without the warnings that the text allows where they are, or where what they note is. Errors stay. */
export function withoutAllowed(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.filter(
    ({ severity, code, span, notes }) =>
      severity === 'error' ||
      ![span, ...notes.map((note) => note.span)].some((each) => isAllowed(code, each)),
  );
}

function isAllowed(code: string, { source, start, end }: Span): boolean {
  const first = positionAt(source, start).line;
  const last = positionAt(source, Math.max(start, end - 1)).line;
  const above = lineAt(source, first - 1);
  const lines = [
    ...(/^\s*\/\//.test(above) ? [above] : []),
    ...Array.from({ length: last - first + 1 }, (_, k) => lineAt(source, first + k)),
  ];
  return lines.some((line) => allowedBy(line).includes(code));
}

/** The codes that a line allows. */
function allowedBy(line: string): string[] {
  const [, codes = ''] = /\/\/ *allow((?:[ ,]+W\d+\b)+)/.exec(line) ?? [];
  return codes.match(/W\d+/g) ?? [];
}
