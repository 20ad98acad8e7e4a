/** The entries of `train`. */
import type { Cursor } from './cursor.ts';
import { parseExpression, parseList } from './expressions.ts';
import { is } from './tokens.ts';
import type { Name, TrainEntry } from './tree.ts';

/** `optimizer[W1, "block_*"]: sgd(rate = 0.1)`, `batch: 64`; ends at a `,` or at the end of the line. */
export function parseTrainEntry(cursor: Cursor): TrainEntry | undefined {
  const { current: token, depth: mark } = cursor;
  const { start } = token;
  if (token.kind !== 'name' && token.kind !== 'keyword') {
    cursor.expected(
      'the name of a training entry',
      'entries are written `name: value`, for example `batch: 64`',
    );
    cursor.finishEntry('an entry', mark);
    return undefined;
  }
  cursor.advance();
  const name: Name = { text: token.text, span: cursor.spanOf(token) };
  const targets = cursor.at('[') ? parseList(cursor, parseTarget, 'a parameter') : undefined;
  const found = cursor.actual;
  if (!cursor.isLost && is(found, '=')) {
    cursor.diagnostics.error(
      'E102',
      cursor.spanOf(found),
      `expected \`:\` after \`${name.text}\`, found \`=\``,
      {
        hint: 'training entries are written `name: value`',
      },
    );
    cursor.advance();
  } else {
    cursor.expect(':', `after \`${name.text}\``, 'training entries are written `name: value`');
  }
  let value = parseExpression(cursor);
  const end = cursor.lastEnd;
  if (cursor.isLost || !(cursor.at(',') || cursor.atEnd)) {
    value = { kind: 'error', span: cursor.span(Math.min(value.span.start, end), end) };
  }
  cursor.finishEntry('an entry', mark);
  return { name, ...(targets === undefined ? {} : { targets }), value, span: cursor.span(start, end) };
}

/** A name, or a pattern of names in quotes. */
function parseTarget(cursor: Cursor): Name | undefined {
  const token = cursor.current;
  if (token.kind !== 'string' && token.kind !== 'name') {
    cursor.expected('a parameter', 'write names or patterns in quotes, `optimizer[W1, "block_*"]: ...`');
    return undefined;
  }
  cursor.advance();
  return { text: token.text, span: cursor.spanOf(token) };
}
