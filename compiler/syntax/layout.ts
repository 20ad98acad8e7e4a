/**
 * The layout rule. A statement ends at the end of its line unless a bracket is open, or the next line is indented
 * deeper than the statement's first line, or the next line begins with `|>` (or with the `{` of a block).
 *
 * The rule is applied to the tokens, before parsing, so that a mistake inside one statement cannot move the end of it:
 * an unclosed bracket ends where a line that is not indented deeper looks like the beginning of a statement.
 */
import type { Token } from './tokens.ts';
import { beginsDefinition, is, isStatementWord } from './tokens.ts';

export interface Layout {
  /** The tokens with an `end` after each statement. */
  readonly tokens: readonly Token[];
  /** For the position of each `{` that is closed, the position of its `}`. */
  readonly closing: ReadonlyMap<number, number>;
  /** Beginnings of what looks like a statement on a line that is indented as the continuation of another. */
  readonly suspects: ReadonlySet<Token>;
}

interface Statement {
  readonly first: Token;
}

interface Block {
  readonly open: number;
  readonly indent: number;
  readonly isTrain: boolean;
}

export function applyLayout(input: readonly Token[]): Layout {
  const tokens: Token[] = [];
  const closing = new Map<number, number>();
  const suspects = new Set<Token>();
  const brackets = new BracketStack();
  let blocks: Block[] = [];
  let statement: Statement | undefined;

  const endStatement = (): void => {
    const last = tokens.at(-1);
    if (statement !== undefined && last !== undefined) {
      tokens.push({
        kind: 'end',
        text: '',
        start: last.end,
        end: last.end,
        first: false,
        indent: last.indent,
      });
    }
    statement = undefined;
    brackets.clear();
  };

  for (const [position, token] of input.entries()) {
    const outermost = blocks[0];
    if (token.kind === 'eof') {
      endStatement();
      tokens.push(token);
    } else if (is(token, ';')) {
      endStatement();
    } else if (is(token, '{')) {
      // on a line of its own it belongs to the header above
      if (token.first && !isHeader(statement)) endStatement();
      blocks.push({ open: tokens.length, indent: token.indent, isTrain: is(statement?.first, 'train') });
      tokens.push(token);
      statement = undefined;
      brackets.clear();
    } else if (is(token, '}')) {
      endStatement();
      // A `}` that begins a line further left than its block did closes an outer block: the inner one is unclosed.
      while (blocks.length > 1 && token.first && token.indent < (blocks.at(-1)?.indent ?? 0)) blocks.pop();
      const block = blocks.pop();
      if (block !== undefined) closing.set(block.open, tokens.length);
      tokens.push(token);
    } else {
      if (
        outermost !== undefined &&
        token.first &&
        token.indent <= outermost.indent &&
        beginsDefinition(token, input[position + 1])
      ) {
        endStatement();
        blocks = [];
      }
      if (statement !== undefined && token.first && !is(token, '|>')) {
        const looksNew = looksLikeStatement(input, position, blocks.at(-1)?.isTrain ?? false);
        const { first } = statement;
        // A statement that does not begin its line has no indentation of its own: there, what looks new is new.
        const isNew = !first.first && looksNew && !is(tokens.at(-1), ',');
        if (token.indent <= first.indent ? brackets.isEmpty || looksNew : brackets.isEmpty && isNew)
          endStatement();
        else if (brackets.isEmpty && looksNew && mayEnd(tokens.at(-1))) suspects.add(token);
      }
      statement ??= { first: token };
      brackets.read(token);
      tokens.push(token);
    }
  }
  return { tokens, closing, suspects };
}

const isHeader = (statement: Statement | undefined): boolean =>
  statement !== undefined &&
  ['model', 'fn', 'layer', 'optimizer', 'schedule', 'scan', 'train'].includes(statement.first.text);

/** Can a statement end with this token? After `dim a = 1,` the line `b = 2` is no suspect. */
const mayEnd = (token: Token | undefined): boolean =>
  token !== undefined &&
  (is(token, ')') || is(token, ']') || ['name', 'number', 'malformed', 'string'].includes(token.kind));

/** Keyword, `name =`, `name[...] =`, `name ~`, `name name` (a misspelt keyword), and in a train block `name:`. */
function looksLikeStatement(tokens: readonly Token[], position: number, inTrain: boolean): boolean {
  const token = tokens[position];
  let next = position + 1;
  if (token === undefined) return false;
  if (isStatementWord(token)) {
    // `loss` and, in a train block, `optimizer` may stand for themselves.
    if (token.text !== 'loss' && !inTrain) return true;
  } else if (token.kind !== 'name') {
    return false;
  } else if (tokens[next]?.kind === 'name' && !tokens[next]?.first) {
    return true;
  }
  if (is(tokens[next], '[')) {
    let depth = 0;
    do {
      const inside = tokens[next];
      if (inside === undefined || inside.first || inside.kind === 'eof') return false;
      if (is(inside, '[') || is(inside, '(')) depth += 1;
      if (is(inside, ']') || is(inside, ')')) depth -= 1;
      next += 1;
    } while (depth > 0);
  }
  const sign = tokens[next];
  if (sign === undefined || sign.first) return isStatementWord(token) && token.text !== 'loss';
  if (is(sign, '=') || is(sign, '~')) return true;
  return inTrain ? is(sign, ':') || (isStatementWord(token) && sign.kind === 'name') : false;
}

/** Open round and square brackets. A closing bracket that fits a deeper one closes what is between, too. */
class BracketStack {
  private readonly open: string[] = [];
  private readonly count: Record<string, number> = { ')': 0, ']': 0 };

  get isEmpty(): boolean {
    return this.open.length === 0;
  }

  clear(): void {
    this.open.length = 0;
    this.count[')'] = 0;
    this.count[']'] = 0;
  }

  read(token: Token): void {
    if (is(token, '(')) this.push(')');
    else if (is(token, '[')) this.push(']');
    else if (is(token, ')') || is(token, ']')) {
      // If no open bracket fits, this one was probably meant to close the last.
      if ((this.count[token.text] ?? 0) === 0) this.pop();
      else while (this.pop() !== token.text);
    }
  }

  private push(closer: string): void {
    this.open.push(closer);
    this.count[closer] = (this.count[closer] ?? 0) + 1;
  }

  private pop(): string | undefined {
    const closer = this.open.pop();
    if (closer !== undefined) this.count[closer] = (this.count[closer] ?? 0) - 1;
    return closer;
  }
}
