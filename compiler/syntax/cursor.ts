/**
 * Reads the tokens for the parser and keeps its mistakes apart. After an error the cursor shows `end` until the
 * parser comes to the end of the statement: whatever it was about to expect is met with silence, and the next
 * statement starts afresh. So each statement reports one error at most, without exceptions.
 */
import { closest } from '../diagnostics/suggest.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostics, Note } from '../diagnostics/diagnostic.ts';
import type { Source, Span } from '../diagnostics/source.ts';
import type { Layout } from './layout.ts';
import type { Token } from './tokens.ts';
import { describe, is } from './tokens.ts';
import type { ErrorExpression, Name, SyntaxExpression } from './tree.ts';

/** How deep brackets, signs, powers and conditionals may be nested. */
export const maximumNesting = 200;
/** How deep a tree may be (a sum of n terms is n - 1 deep); passes recurse on it. */
export const maximumDepth = 1000;

export class Cursor {
  readonly source: Source;
  readonly diagnostics: Diagnostics;
  /** May names have primes here (not in a function)? */
  primes = false;
  /** The end of the last token read. */
  lastEnd = 0;
  /** Opened less closed brackets, up to here. */
  depth = 0;
  private readonly layout: Layout;
  private readonly depths = new WeakMap<SyntaxExpression, number>();
  private readonly reservedReported = new Set<string>();
  private position = 0;
  private nesting = 0;
  private lost = false;
  /** Has this statement a number that the lexer has reported? What follows from it is not reported again. */
  private malformed = false;

  constructor(source: Source, layout: Layout, diagnostics: Diagnostics) {
    this.source = source;
    this.layout = layout;
    this.diagnostics = diagnostics;
  }

  // ------------------------------------------------------------------------------------------------------- reading

  /** Has this statement had an error that the parser could not pass? */
  get isLost(): boolean {
    return this.lost;
  }

  /** The token itself, also after an error. */
  get actual(): Token {
    return this.tokenAt(this.position);
  }

  get current(): Token {
    const token = this.actual;
    return this.lost ? { ...token, kind: 'end', text: '', end: token.start } : token;
  }

  get next(): Token {
    return this.tokenAt(this.position + 1);
  }

  at(text: string): boolean {
    return !this.lost && is(this.actual, text);
  }

  /** At the end of the statement, or where another one seems to begin. */
  get atEnd(): boolean {
    return this.lost || (this.endsStatement(this.actual) && !is(this.actual, '{'));
  }

  advance(): Token {
    const token = this.actual;
    if (token.kind !== 'eof') this.position += 1;
    if (token.kind !== 'end') this.lastEnd = token.end;
    if (token.kind === 'malformed') this.malformed = true;
    if (is(token, '(') || is(token, '[')) this.depth += 1;
    if (is(token, ')') || is(token, ']')) this.depth -= 1;
    return token;
  }

  take(text: string): boolean {
    if (!this.at(text)) return false;
    this.advance();
    return true;
  }

  span(start: number, end = this.lastEnd): Span {
    return { source: this.source, start: Math.min(start, end), end };
  }

  spanOf(token: Token): Span {
    return { source: this.source, start: token.start, end: token.end };
  }

  /** The two tokens behind the `]` that closes the `[` at the cursor. */
  get afterBrackets(): readonly [Token, Token] {
    let open = 0;
    let at = this.position;
    for (; !this.endsStatement(this.tokenAt(at)); at++) {
      const token = this.tokenAt(at);
      if (is(token, '[') || is(token, '(')) open += 1;
      if (is(token, ']') || is(token, ')')) open -= 1;
      if (open === 0) break;
    }
    return [this.tokenAt(at + 1), this.tokenAt(at + 2)];
  }

  /** How many tokens have been read. */
  get progress(): number {
    return this.position;
  }

  /** Is the `{` at the cursor closed somewhere? */
  get braceIsClosed(): boolean {
    return this.layout.closing.has(this.position);
  }

  // -------------------------------------------------------------------------------------------------------- errors

  /** Reports what stands at the cursor and gives up the statement. Silent if it has been given up already. */
  fail(
    message: string,
    more: { code?: DiagnosticCode; span?: Span; notes?: readonly Note[]; hint?: string | undefined } = {},
  ): void {
    if (!this.lost && !this.malformed && this.actual.kind !== 'bad') {
      const { code = 'E102', span = this.foundSpan, notes = [], hint } = more;
      this.diagnostics.error(code, span, message, { notes, ...(hint === undefined ? {} : { hint }) });
    }
    this.lost = true;
  }

  /** Reports that `what` was expected here. */
  expected(what: string, hint?: string): void {
    this.fail(`expected ${what}, found ${describe(this.actual)}`, { hint });
  }

  /** Takes the symbol or gives the statement up. */
  expect(text: string, context: string, hint?: string): boolean {
    if (this.take(text)) return true;
    this.expected(`\`${text}\` ${context}`, hint);
    return false;
  }

  /** A name. A reserved word is reported (once) and taken as the name; other tokens give the statement up. */
  expectName(what: string): Name | undefined {
    const token = this.current;
    if (token.kind === 'keyword') this.reserved(token);
    else if (token.kind !== 'name') {
      this.expected(what);
      return undefined;
    }
    this.advance();
    this.checkPrime(token);
    return { text: token.text, span: this.spanOf(token) };
  }

  checkPrime(token: Token): void {
    if (this.primes || !token.text.endsWith("'")) return;
    this.diagnostics.error(
      'E102',
      this.spanOf(token),
      `the name \`${token.text}\` cannot have a prime here`,
      {
        hint: 'a prime is the next value of a state, in a model, a layer, an optimizer or a schedule',
      },
    );
  }

  reserved(token: Token): void {
    if (this.reservedReported.has(token.text)) return;
    this.reservedReported.add(token.text);
    this.diagnostics.error(
      'E209',
      this.spanOf(token),
      `\`${token.text}\` is a reserved word and cannot be a name`,
      {
        hint: `choose another name, such as \`${token.text}_\` or \`my_${token.text}\``,
      },
    );
  }

  /**
   * Takes the bracket that closes `open`. `after` is what stands before it ("an index"). If the statement ends
   * first, the opening bracket is to blame.
   */
  close(open: Token, closer: ')' | ']', after: string, comma = true): boolean {
    if (this.take(closer)) return true;
    const wanted = `\`${closer}\`${comma ? ' or `,`' : ''} after ${after}`;
    const found = this.actual;
    if (this.endsStatement(found)) {
      this.fail(`this \`${open.text}\` is never closed: expected ${wanted}, found ${this.endName(found)}`, {
        code: 'E103',
        span: this.spanOf(open),
      });
    } else {
      const notes = [{ span: this.spanOf(open), message: `to close this \`${open.text}\`` }];
      const between = this.source.text.slice(open.end, found.start);
      this.fail(`expected ${wanted}, found ${describe(found)}`, {
        notes: between.includes('\n') ? notes : [],
        hint: this.junkHint(found),
      });
    }
    return false;
  }

  /** What may be meant by a token that cannot follow an expression. */
  junkHint(found: Token): string | undefined {
    if (is(found, '=')) return 'equality is written `==`';
    if (is(found, ':')) return 'an extent belongs to an index on the left side, `y[i: 14] = ...`';
    if (is(found, '..')) return undefined;
    if (is(found, '%')) return 'a remainder is written `mod(a, b)`';
    if (is(found, 'else')) return '`else` follows a read: `x[i - 1] else 0`';
    if (found.kind === 'name' || found.kind === 'number' || is(found, '(')) {
      const guess = found.kind === 'name' ? closest(found.text, ['and', 'or', 'else']) : undefined;
      if (guess !== undefined) return `did you mean \`${guess}\`?`;
      return 'is an operator or a comma missing? A product is written with a `*`';
    }
    if (is(found, ')') || is(found, ']')) return 'there is no open bracket of this kind here';
    return undefined;
  }

  // -------------------------------------------------------------------------------------------- ends of statements

  /** Comes to the end of the statement; what is left of it is reported unless something has been. */
  finishStatement(after: string): void {
    const found = this.actual;
    if (!this.atEnd) {
      this.expected(`end of line after ${after}`, this.junkHint(found));
    } else if (!this.lost && this.layout.suspects.has(found)) {
      this.fail(`expected end of line after ${after}, found ${describe(found)}`, {
        hint: 'this line is indented deeper than the statement above and so continues it',
      });
    }
    const wasLost = this.lost;
    const atLineEnd = found.kind === 'end';
    this.skipStatement();
    // `a = b +` with the rest on a line that is not indented: the rest is not a mistake of its own.
    if (wasLost && atLineEnd && this.continuesLine(this.actual)) this.skipStatement();
  }

  /**
   * Comes to the end of an entry of a list that goes on in the same line: behind the next `,` outside the brackets
   * opened since `mark`, or at the end of the statement.
   */
  finishEntry(after: string, mark: number): void {
    if (!this.atEnd && !this.at(',')) {
      this.expected(`\`,\` or end of line after ${after}`, this.junkHint(this.actual));
    }
    let depth = this.depth - mark;
    while (this.lost && !this.endsStatement(this.actual) && !(depth <= 0 && is(this.actual, ','))) {
      this.advance();
      depth = this.depth - mark;
    }
    this.recover();
    if (!this.take(',')) this.skipStatement();
  }

  /** Skips silently to the `{` of a block, if the statement has one. */
  skipToBrace(): boolean {
    while (!this.endsStatement(this.actual)) this.advance();
    this.recover();
    return is(this.actual, '{');
  }

  skipStatement(): void {
    for (;;) {
      const token = this.actual;
      if (token.kind === 'eof' || is(token, '}') || this.layout.suspects.has(token)) break;
      if (token.kind === 'end') {
        this.advance();
        break;
      }
      const closing = is(token, '{') ? this.layout.closing.get(this.position) : undefined;
      if (closing !== undefined) this.position = closing;
      this.advance();
      if (closing !== undefined) break;
    }
    this.recover();
  }

  private recover(): void {
    this.lost = false;
    this.malformed = false;
  }

  /** Passes over `end`s. */
  skipEnds(): void {
    while (this.actual.kind === 'end') this.advance();
  }

  // --------------------------------------------------------------------------------------------------------- depth

  /** Runs `parse` one level deeper, or reports E106 and gives `otherwise`. */
  nested<Result>(parse: () => Result, otherwise: Result): Result {
    if (this.nesting >= maximumNesting) {
      this.fail(`this is nested more than ${maximumNesting} levels deep`, {
        code: 'E106',
        hint: 'give the inner part a name of its own',
      });
      return otherwise;
    }
    this.nesting += 1;
    const result = parse();
    this.nesting -= 1;
    return result;
  }

  /** Notes the depth of a new node; one that is too deep is reported and left out. */
  made<Node extends SyntaxExpression>(
    node: Node,
    children: readonly SyntaxExpression[],
  ): Node | ErrorExpression {
    let depth = 1;
    for (const child of children) depth = Math.max(depth, 1 + (this.depths.get(child) ?? 1));
    if (depth > maximumDepth) {
      this.fail(`this expression is more than ${maximumDepth} operations deep`, {
        code: 'E106',
        span: node.span,
        hint: 'give a part of it a name of its own',
      });
      return { kind: 'error', span: node.span };
    }
    this.depths.set(node, depth);
    return node;
  }

  error(start: number): ErrorExpression {
    return { kind: 'error', span: this.span(start, Math.max(start, this.lastEnd)) };
  }

  // ------------------------------------------------------------------------------------------------------- private

  private tokenAt(position: number): Token {
    const { tokens } = this.layout;
    const token = tokens[Math.min(position, tokens.length - 1)];
    if (token === undefined) throw new Error('the layout has no tokens');
    return token;
  }

  private endsStatement(token: Token): boolean {
    return (
      token.kind === 'end' ||
      token.kind === 'eof' ||
      is(token, '{') ||
      is(token, '}') ||
      this.layout.suspects.has(token)
    );
  }

  private endName(token: Token): string {
    return this.layout.suspects.has(token) ? 'a new statement' : describe(token);
  }

  /** An error at the end of a line is shown where the line ends. */
  private get foundSpan(): Span {
    const token = this.actual;
    return token.kind === 'end' || token.kind === 'eof'
      ? { source: this.source, start: this.lastEnd, end: this.lastEnd }
      : this.spanOf(token);
  }

  private continuesLine(token: Token): boolean {
    if (!token.first || token.kind === 'eof' || is(token, '}')) return false;
    if (token.kind === 'name') {
      const { next } = this;
      return !is(next, '=') && !is(next, '[') && !is(next, '~') && !is(next, ':') && next.kind !== 'name';
    }
    return token.kind !== 'keyword';
  }
}
