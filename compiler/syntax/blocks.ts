/** Which statements stand in which block, and the way from `{` to `}`. */
import { closest } from '../diagnostics/suggest.ts';
import type { Cursor } from './cursor.ts';
import type { Target } from './statements.ts';
import type { Keyword, Token } from './tokens.ts';
import { is, isStatementWord } from './tokens.ts';

export type BlockKind = 'model' | 'layer' | 'scan' | 'fn' | 'optimizer' | 'schedule';

/** The keywords that begin a statement in each block; names begin assignments everywhere. */
export const statementsOf: Readonly<Record<BlockKind, readonly Keyword[]>> = {
  model: ['dim', 'require', 'input', 'param', 'state', 'random', 'scan', 'output', 'loss', 'metric', 'train'],
  layer: ['dim', 'require', 'param', 'state', 'random', 'scan'],
  scan: [],
  fn: ['return'],
  optimizer: ['state'],
  schedule: ['state'],
};

/** What the assignments of a block define. */
export const targetOf = (kind: BlockKind): Target =>
  kind === 'model' || kind === 'layer' || kind === 'scan' ? 'tensor' : 'name';

/** The keywords that begin a definition at the top of a file. */
export const definitions: readonly Keyword[] = [
  'model',
  'fn',
  'layer',
  'optimizer',
  'schedule',
  'dim',
  'import',
];

/** Words that other languages declare names with. */
export const foreignDeclarations: ReadonlySet<string> = new Set(['let', 'const', 'var', 'val', 'def']);

export const withArticle = (kind: BlockKind): string => (kind === 'optimizer' ? 'an optimizer' : `a ${kind}`);

/** In which blocks a keyword belongs, as a hint. */
export function hintOf(token: Token): string | undefined {
  if (!isStatementWord(token)) return undefined;
  const kinds = Object.keys(statementsOf) as BlockKind[];
  const names = kinds
    .filter((kind) => statementsOf[kind].some((word) => word === token.text))
    .map((kind) => withArticle(kind));
  return names.length === 0 ? undefined : `\`${token.text}\` belongs in ${names.join(' or ')}`;
}

/**
 * The keyword that a statement begins with: the word itself, or where a name stands before another name (which no
 * statement begins with) the one that it is a misspelling of; that is reported.
 */
export function meantWord(cursor: Cursor, allowed: readonly Keyword[]): Keyword | undefined {
  const { actual: token, next } = cursor;
  if (token.kind === 'keyword') {
    const word = allowed.find((candidate) => candidate === token.text);
    const isName = word !== 'loss' && (is(next, '=') || (is(next, '[') && word !== 'return'));
    return isName ? undefined : word;
  }
  if (token.kind !== 'name' || next.first || !(next.kind === 'name' || is(next, '{'))) return undefined;
  const guess = allowed.find((word) => word === closest(token.text, allowed));
  if (guess === undefined || (next.kind !== 'name' && guess !== 'train')) return undefined;
  const message = `no statement begins with \`${token.text}\``;
  cursor.diagnostics.error('E102', cursor.spanOf(token), message, { hint: `did you mean \`${guess}\`?` });
  return guess;
}

/**
 * From `{` to `}`; false, and an error, if there is no `}`. Then `isBeyond` tells of a token whether it belongs to what
 * comes after the block.
 */
export function parseBraces(
  cursor: Cursor,
  what: string,
  isBeyond: (token: Token, next: Token) => boolean,
  parseItem: () => void,
): boolean {
  const isClosed = cursor.braceIsClosed;
  const open = cursor.advance();
  for (;;) {
    cursor.skipEnds();
    const token = cursor.actual;
    if (token.kind === 'eof' || is(token, '}') || (!isClosed && isBeyond(token, cursor.next))) break;
    const before = cursor.progress;
    parseItem();
    if (cursor.progress === before) cursor.advance();
  }
  if (isClosed) cursor.take('}');
  else cursor.diagnostics.error('E103', cursor.spanOf(open), `the \`{\` of ${what} is never closed`);
  return isClosed;
}
