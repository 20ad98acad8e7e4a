/** Diagnostics as text for a terminal, and as plain objects for tools. */
import type { Diagnostic } from './diagnostic.ts';
import type { Position, Source, Span } from './source.ts';
import { lineAt, positionAt } from './source.ts';

/** Longer source lines are cut around the place that is shown. */
const maximumWidth = 110;
const tabWidth = 4;

const styles = {
  error: '1;31',
  warning: '1;33',
  note: '1;36',
  hint: '1;32',
  gutter: '34',
  strong: '1',
} as const;
type Style = keyof typeof styles;
type Paint = (style: Style, text: string) => string;

const painted: Paint = (style, text) => `\u001B[${styles[style]}m${text}\u001B[0m`;
const plain: Paint = (_style, text) => text;

/**
 * All diagnostics, in the order of the text, as
 *
 *     error[E301]: `W` has 3 columns and `x` has 4 rows
 *      --> digits.dsl:12:3
 *        |
 *     12 |   h[n, j] = sum[i](x[n, i] * W[i, j])
 *        |             ^^^^^^^^^^^^^^^^^^^^^^^^^^
 *     note: `x` is declared here
 *      --> digits.dsl:4:9
 *        ...
 *     hint: ...
 *
 * and a last line that counts them. The empty text if there are none.
 */
export function renderDiagnostics(list: readonly Diagnostic[], options: { readonly color: boolean }): string {
  if (list.length === 0) return '';
  const paint = options.color ? painted : plain;
  const blocks = inOrder(list).map((diagnostic) => renderOne(diagnostic, paint));
  return `${blocks.join('\n\n')}\n\n${count(list)}\n`;
}

/** `2 errors, 1 warning` */
function count(list: readonly Diagnostic[]): string {
  const some = (severity: Diagnostic['severity']): string[] => {
    const number = list.filter((diagnostic) => diagnostic.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}${number === 1 ? '' : 's'}`];
  };
  return [...some('error'), ...some('warning')].join(', ');
}

/** Files in the order in which they first occur; in a file by place; at the same place as reported. */
function inOrder(list: readonly Diagnostic[]): Diagnostic[] {
  const files = new Map<string, number>();
  for (const { span } of list) if (!files.has(span.source.path)) files.set(span.source.path, files.size);
  const rank = ({ span }: Diagnostic): number => files.get(span.source.path) ?? 0;
  return list.toSorted((a, b) => rank(a) - rank(b) || a.span.start - b.span.start || a.span.end - b.span.end);
}

function renderOne(diagnostic: Diagnostic, paint: Paint): string {
  const { code, severity, span, message, notes, hint } = diagnostic;
  const places = [span, ...notes.map((note) => note.span)];
  const lastLines = places.map((place) => positionAt(place.source, place.end).line);
  const gutter = String(Math.max(...lastLines)).length;
  const lines = [
    `${paint(severity, `${severity}[${code}]`)}${paint('strong', `: ${clean(message)}`)}`,
    ...renderPlace(span, '^', severity, gutter, paint),
  ];
  for (const note of notes) {
    lines.push(`${paint('note', 'note')}: ${clean(note.message)}`);
    lines.push(...renderPlace(note.span, '-', 'note', gutter, paint));
  }
  if (hint !== undefined) lines.push(`${paint('hint', 'hint')}: ${clean(hint)}`);
  return lines.join('\n');
}

/** The arrow, and the lines of the span with a mark under it. Of a span of many lines the first and the last. */
function renderPlace(span: Span, mark: string, style: Style, gutter: number, paint: Paint): string[] {
  const { source } = span;
  const start = positionAt(source, span.start);
  const end = positionAt(source, Math.max(span.start, span.end));
  const margin = ' '.repeat(gutter);
  const bar = paint('gutter', '|');
  const lines = [`${margin}${paint('gutter', '-->')} ${placeText(source, start)}`, `${margin} ${bar}`];
  const shown = end.line - start.line < 2 ? [start.line, end.line] : [start.line, undefined, end.line];
  for (const line of new Set(shown)) {
    if (line === undefined) {
      lines.push(paint('gutter', '...'.padEnd(gutter + 2, ' ')).trimEnd());
      continue;
    }
    const text = lineAt(source, line);
    const from = line === start.line ? start.column - 1 : text.length - text.trimStart().length;
    const to = line === end.line ? end.column - 1 : text.trimEnd().length;
    const cut = cutLine(text, from, Math.max(to, from));
    lines.push(`${paint('gutter', String(line).padStart(gutter))} ${bar} ${cut.text}`.trimEnd());
    lines.push(`${margin} ${bar} ${' '.repeat(cut.from)}${paint(style, mark.repeat(cut.length))}`);
  }
  return lines;
}

const placeText = (source: Source, position: Position): string =>
  `${clean(source.path)}:${position.line}:${position.column}`;

/**
 * A line as it is displayed: tabs are spaces, what would move the cursor is a dot, and a line that is too long is cut
 * to a window that shows the place from..to (offsets in the line). Gives the place in columns of the display.
 */
function cutLine(line: string, from: number, to: number): { text: string; from: number; length: number } {
  const head = display(line.slice(0, from), 0);
  const body = display(line.slice(from, to), head.length);
  const tail = display(line.slice(to), head.length + body.length);
  let text = [...head, ...body, ...tail];
  let left = head.length;
  let { length } = body;
  if (text.length > maximumWidth) {
    length = Math.min(length, maximumWidth - 20);
    const begin = Math.max(0, Math.min(left - 10, text.length - maximumWidth));
    const isCutLeft = begin > 0;
    const isCutRight = begin + maximumWidth < text.length;
    text = text.slice(begin, begin + maximumWidth);
    if (isCutLeft) text[0] = '…';
    if (isCutRight) text[text.length - 1] = '…';
    left -= begin;
  }
  return { text: text.join(''), from: left, length: Math.max(1, length) };
}

/** The characters of a text that begins at a column of the display. */
function display(text: string, column: number): string[] {
  const result: string[] = [];
  for (const character of text) {
    if (character === '\t') {
      const width = tabWidth - ((column + result.length) % tabWidth);
      for (let space = 0; space < width; space += 1) result.push(' ');
    } else if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character)) result.push('·');
    else result.push(character);
  }
  return result;
}

/** A text without characters that move the cursor: nothing in a model can repaint the terminal. */
const clean = (text: string): string => display(text.replaceAll('\n', ' '), 0).join('');

// ------------------------------------------------------------------------------------------------------------- data

/** Where something stands; lines and columns are counted from 1, the end is excluded. */
export interface JsonPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface JsonDiagnostic extends JsonPlace {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly notes: readonly (JsonPlace & { readonly message: string })[];
  readonly hint?: string;
}

/** Diagnostics as plain objects, in the order of the text. */
export function toJson(list: readonly Diagnostic[]): JsonDiagnostic[] {
  return inOrder(list).map(({ code, severity, span, message, notes, hint }) => ({
    code,
    severity,
    message,
    ...jsonPlace(span),
    notes: notes.map((note) => ({ message: note.message, ...jsonPlace(note.span) })),
    ...(hint === undefined ? {} : { hint }),
  }));
}

function jsonPlace(span: Span): JsonPlace {
  const start = positionAt(span.source, span.start);
  const end = positionAt(span.source, span.end);
  return {
    file: span.source.path,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}
