/** The words of the language: what the lexer makes and the parser reads. */

/** Words with a fixed meaning. They cannot be names, but `loss` may be read in an expression. */
export const keywords = [
  'model',
  'dim',
  'input',
  'param',
  'output',
  'loss',
  'metric',
  'train',
  'fn',
  'layer',
  'optimizer',
  'schedule',
  'state',
  'random',
  'scan',
  'require',
  'import',
  'return',
  'and',
  'or',
  'not',
  'else',
] as const;

export type Keyword = (typeof keywords)[number];

const keywordSet: ReadonlySet<string> = new Set(keywords);
const operatorWords: ReadonlySet<string> = new Set(['and', 'or', 'not', 'else']);
const definitionWords: ReadonlySet<string> = new Set(['model', 'fn', 'layer', 'optimizer', 'schedule']);

export const isKeyword = (word: string): word is Keyword => keywordSet.has(word);

/**
 * - `bad`: text that the lexer has already reported and that stands for nothing: whoever meets it stays silent;
 * - `end`: the end of a statement (put in by the layout pass);
 * - `malformed`: a number that the lexer has already reported.
 */
export type TokenKind =
  'name' | 'keyword' | 'number' | 'malformed' | 'string' | 'symbol' | 'bad' | 'end' | 'eof';

export interface Token {
  readonly kind: TokenKind;
  /** As the parser reads it: for a misspelt symbol (`**`) the right one (`^`); for a string what is in the quotes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Is this the first token of its line? */
  readonly first: boolean;
  /** How far the token's line is indented; a tab goes to the next multiple of four. */
  readonly indent: number;
}

/** A symbol or keyword with this text (a name or a string never is one). */
export const is = (token: Token | undefined, text: string): boolean =>
  token !== undefined && (token.kind === 'symbol' || token.kind === 'keyword') && token.text === text;

/** A keyword that begins a statement or a definition (`and`, `or`, `not` and `else` do not). */
export const isStatementWord = (token: Token): boolean =>
  token.kind === 'keyword' && !operatorWords.has(token.text);

/** Does a definition (which never stands inside a block) begin here? `optimizer: ...` in `train` is none. */
export const beginsDefinition = (token: Token, next: Token | undefined): boolean =>
  token.kind === 'keyword' &&
  ((definitionWords.has(token.text) && next?.kind === 'name') ||
    (token.text === 'import' && next?.kind === 'string'));

/** What an error message calls a token. */
export function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'end of line';
    case 'eof':
      return 'end of file';
    case 'string':
      return 'a string';
    case 'number':
    case 'malformed':
      return `the number ${token.text}`;
    case 'name':
    case 'keyword':
      return `\`${token.text}\``;
    default:
      return `\`${token.text}\``;
  }
}
