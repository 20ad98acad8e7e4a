/**
 * Expressions, by precedence climbing (Pratt 1973). From the loosest to the tightest:
 * `|>`, `? :`, `or`, `and`, `not`, comparisons, `+ -`, `* /`, unary `-`, `^`, then reads and calls.
 */
import type { Cursor } from './cursor.ts';
import type { Token } from './tokens.ts';
import { is } from './tokens.ts';
import { borders } from './tree.ts';
import type {
  Argument,
  BinarySign,
  Binder,
  Border,
  Call,
  Conditional,
  IndexedRead,
  Name,
  SyntaxExpression,
} from './tree.ts';

interface Infix {
  readonly power: number;
  /** How tightly the right operand must bind. */
  readonly right: number;
  readonly sign: BinarySign | '%';
}

const powers = { condition: 1, not: 4, comparison: 5, sign: 8 } as const;

const infixes: Readonly<Record<BinarySign | '%', Infix>> = {
  or: { sign: 'or', power: 2, right: 3 },
  and: { sign: 'and', power: 3, right: 4 },
  '<': { sign: '<', power: powers.comparison, right: 6 },
  '<=': { sign: '<=', power: powers.comparison, right: 6 },
  '>': { sign: '>', power: powers.comparison, right: 6 },
  '>=': { sign: '>=', power: powers.comparison, right: 6 },
  '==': { sign: '==', power: powers.comparison, right: 6 },
  '!=': { sign: '!=', power: powers.comparison, right: 6 },
  '+': { sign: '+', power: 6, right: 7 },
  '-': { sign: '-', power: 6, right: 7 },
  '*': { sign: '*', power: 7, right: 8 },
  '/': { sign: '/', power: 7, right: 8 },
  // the lexer has reported it; it is read as mod(a, b)
  '%': { sign: '%', power: 7, right: 8 },
  // the exponent may have a sign, 2^-x, and -x^2 is -(x^2)
  '^': { sign: '^', power: 9, right: powers.sign },
};

const infixOf = (token: Token): Infix | undefined =>
  (token.kind === 'symbol' || token.kind === 'keyword') && Object.hasOwn(infixes, token.text)
    ? infixes[token.text as keyof typeof infixes]
    : undefined;

/** An expression of the lowest precedence: `x |> f(a)` is `f(x, a)`. */
export function parseExpression(cursor: Cursor): SyntaxExpression {
  const { start } = cursor.current;
  let value = parseConditional(cursor);
  while (cursor.take('|>')) value = parsePipe(cursor, value, start);
  return value;
}

function parsePipe(cursor: Cursor, input: SyntaxExpression, start: number): SyntaxExpression {
  const token = cursor.current;
  if (token.kind !== 'name') {
    cursor.expected('the name of a function or layer after `|>`');
    return cursor.error(start);
  }
  cursor.advance();
  cursor.checkPrime(token);
  const callee: Name = { text: token.text, span: cursor.spanOf(token) };
  const binders = cursor.at('[') ? asBinders(cursor, parseIndices(cursor)) : undefined;
  const more = cursor.at('(') ? parseArguments(cursor) : [];
  return makeCall(cursor, start, callee, binders, [{ value: input }, ...more], true);
}

function parseConditional(cursor: Cursor): SyntaxExpression {
  const { start } = cursor.current;
  const condition = parseOperators(cursor, powers.condition);
  if (!cursor.take('?')) return condition;
  const nestedPart = (): SyntaxExpression => {
    const then = parseExpression(cursor);
    cursor.expect(':', 'and the other value of the conditional');
    const otherwise = parseConditional(cursor);
    const node: Conditional = { kind: 'conditional', condition, then, otherwise, span: cursor.span(start) };
    return cursor.made(node, [condition, then, otherwise]);
  };
  return cursor.nested(nestedPart, cursor.error(start));
}

function parseOperators(cursor: Cursor, least: number): SyntaxExpression {
  const { start } = cursor.current;
  let left = parsePrefix(cursor, least);
  /** If `left` is a comparison: where its right operand begins. */
  let compared: number | undefined;
  let isChained = false;
  for (;;) {
    const token = cursor.current;
    const infix = infixOf(token);
    if (infix === undefined || infix.power < least) return left;
    const leftEnd = cursor.lastEnd;
    cursor.advance();
    const { start: rightStart } = cursor.current;
    const right =
      infix.sign === '^'
        ? cursor.nested(() => parseOperators(cursor, infix.right), cursor.error(start))
        : parseOperators(cursor, infix.right);
    const span = cursor.span(start);
    const isComparison = infix.power === powers.comparison;
    if (isComparison && compared !== undefined && !cursor.isLost) {
      if (!isChained) reportChain(cursor, token, { start, leftEnd, middle: compared, rightStart });
      isChained = true;
      left = { kind: 'error', span };
    } else if (infix.sign === '%') {
      const callee: Name = { text: 'mod', span: cursor.spanOf(token) };
      left = makeCall(cursor, start, callee, undefined, [{ value: left }, { value: right }], false);
    } else {
      left = cursor.made({ kind: 'binary', operator: infix.sign, left, right, span }, [left, right]);
    }
    compared = isComparison ? rightStart : undefined;
  }
}

/** `a < b < c`, with the places of its parts. */
function reportChain(
  cursor: Cursor,
  sign: Token,
  at: { start: number; leftEnd: number; middle: number; rightStart: number },
): void {
  const text = (from: number, to: number): string => cursor.source.text.slice(from, to);
  const middle = text(at.middle, at.leftEnd);
  const last = text(at.rightStart, cursor.lastEnd);
  const both = `${text(at.start, at.leftEnd)} and ${middle} ${sign.text} ${last}`;
  const isShort = both.length <= 60 && !both.includes('\n');
  cursor.diagnostics.error('E102', cursor.spanOf(sign), 'comparisons cannot be chained', {
    hint: `write \`${isShort ? both : 'a < b and b < c'}\``,
  });
}

function parsePrefix(cursor: Cursor, least: number): SyntaxExpression {
  const token = cursor.current;
  const operator = is(token, '-') ? '-' : is(token, 'not') ? 'not' : undefined;
  if (operator === undefined) return parsePostfix(cursor);
  cursor.advance();
  if (operator === 'not' && least > powers.not) {
    cursor.diagnostics.error('E102', cursor.spanOf(token), 'this `not` needs brackets around it', {
      hint: '`not` binds looser than comparisons and arithmetic: write `(not x)`',
    });
  }
  const signed = (): SyntaxExpression => {
    const operand = parseOperators(cursor, operator === '-' ? powers.sign : powers.not);
    const node = { kind: 'unary', operator, operand, span: cursor.span(token.start) } as const;
    return cursor.made(node, [operand]);
  };
  return cursor.nested(signed, cursor.error(token.start));
}

// ------------------------------------------------------------------------------------------- reads, calls, primaries

function parsePostfix(cursor: Cursor): SyntaxExpression {
  const { start } = cursor.current;
  let value = parsePrimary(cursor);
  while (cursor.at('[')) {
    const bracket = parseIndices(cursor);
    const { indices } = bracket;
    if (cursor.at('(') && value.kind === 'reference') {
      const binders = asBinders(cursor, bracket);
      const values = parseArguments(cursor);
      value = makeCall(cursor, start, value.name, binders, values, false);
    } else {
      reportExtents(cursor, bracket);
      const node: IndexedRead = { kind: 'read', tensor: value, indices, span: cursor.span(start) };
      value = cursor.made(node, [value, ...indices]);
    }
  }
  if (cursor.at('(')) cursor.fail('only a name can be called', { hint: 'a product is written with a `*`' });
  if (value.kind === 'read' && cursor.take('else')) {
    const { start: from } = cursor.current;
    const outside = parsePadding(cursor);
    if (outside === undefined) return cursor.error(start);
    const node: IndexedRead = {
      ...value,
      outside: { value: outside, span: cursor.span(from) },
      span: cursor.span(start),
    };
    return cursor.made(node, [value.tensor, ...value.indices]);
  }
  return value;
}

/** `0`, `-1e30`, `-inf`, `reflect`: what a read outside its tensor gives. */
function parsePadding(cursor: Cursor): number | Border | undefined {
  const border = cursor.current.kind === 'name' ? borderOf(cursor.current.text) : undefined;
  if (border !== undefined) {
    cursor.advance();
    return border;
  }
  const sign = cursor.take('-') ? -1 : 1;
  const token = cursor.current;
  if (token.kind === 'number' || token.kind === 'malformed') {
    cursor.advance();
    return token.kind === 'number' ? sign * Number(token.text) : undefined;
  }
  if (token.kind === 'name' && token.text === 'inf') {
    cursor.advance();
    return sign * Infinity;
  }
  cursor.expected(
    'a number, `inf`, `edge`, `reflect` or `circular` after `else`',
    'what a read gives outside its tensor is a constant or an element inside',
  );
  return undefined;
}

const borderOf = (name: string): Border | undefined => borders.find((border) => border === name);

function parsePrimary(cursor: Cursor): SyntaxExpression {
  const token = cursor.current;
  const span = cursor.spanOf(token);
  if (token.kind === 'number') {
    cursor.advance();
    return { kind: 'number', value: Number(token.text), text: token.text, span };
  }
  if (token.kind === 'malformed') {
    cursor.advance();
    return { kind: 'error', span };
  }
  if (token.kind === 'string') {
    cursor.advance();
    return { kind: 'string', value: token.text, span };
  }
  if (token.kind === 'name' || is(token, 'loss')) {
    cursor.advance();
    cursor.checkPrime(token);
    const name: Name = { text: token.text, span };
    if (!cursor.at('(')) return { kind: 'reference', name, span };
    return makeCall(cursor, token.start, name, undefined, parseArguments(cursor), false);
  }
  if (is(token, '(')) return parseBrackets(cursor, token);
  if (is(token, '[')) {
    const items = cursor.nested(() => parseList(cursor, parseExpression, 'an item'), []);
    return cursor.made({ kind: 'list', items, span: cursor.span(token.start) }, items);
  }
  if (token.kind === 'keyword' && !['and', 'or', 'else', 'return'].includes(token.text) && !cursor.atEnd) {
    cursor.reserved(token);
    cursor.advance();
    return { kind: 'error', span };
  }
  cursor.expected('an expression', expressionHint(cursor, token));
  return cursor.error(token.start);
}

function parseBrackets(cursor: Cursor, open: Token): SyntaxExpression {
  cursor.advance();
  const inner = (): SyntaxExpression => {
    const value = parseExpression(cursor);
    cursor.close(open, ')', 'an expression', false);
    return value;
  };
  return cursor.nested(inner, cursor.error(open.start));
}

function expressionHint(cursor: Cursor, found: Token): string | undefined {
  if (cursor.isLost) return undefined;
  if (found.kind === 'end' && !cursor.next.first) return undefined;
  if (found.kind === 'end') return 'a line that continues a statement is indented deeper than the statement';
  if (is(found, '+')) return 'there is no unary `+`';
  if (is(found, '=')) return 'equality is written `==`';
  if (is(found, '..')) return '`..` stands alone, as an index or an axis';
  return undefined;
}

// -------------------------------------------------------------------------------------------------------- lists

/** `open item {, item} close`; the cursor is at the opening bracket. `itemName` is what errors call an item. */
export function parseList<Item>(
  cursor: Cursor,
  parseItem: (cursor: Cursor) => Item | undefined,
  itemName: string,
): Item[] {
  const open = cursor.advance();
  const closer = open.text === '(' ? ')' : ']';
  const items: Item[] = [];
  if (cursor.take(closer)) return items;
  do {
    if (items.length > 0 && cursor.at(closer))
      cursor.expected(`${itemName} after \`,\``, 'leave out the last `,`');
    const item = parseItem(cursor);
    if (item !== undefined) items.push(item);
  } while (cursor.take(','));
  cursor.close(open, closer, itemName);
  return items;
}

/** What stands in brackets after a name: the indices of a read, or the names (with extents, if given) that a call binds. */
interface Bracket {
  readonly indices: readonly SyntaxExpression[];
  /** `u: 2` */
  readonly extents: ReadonlyMap<SyntaxExpression, SyntaxExpression>;
}

/** `[i, j - 1, ..]` or `[u: 2]`; `..` is a reference of that name, `..i` a call. */
function parseIndices(cursor: Cursor): Bracket {
  const open = cursor.current;
  const extents = new Map<SyntaxExpression, SyntaxExpression>();
  const parseIndex = (): SyntaxExpression => {
    const token = cursor.current;
    if (cursor.take('..')) {
      const span = cursor.spanOf(token);
      const name: Name = { text: '..', span };
      if (cursor.current.kind !== 'name') return { kind: 'reference', name, span };
      return makeCall(cursor, token.start, name, undefined, [{ value: parsePrimary(cursor) }], false);
    }
    const index = parseExpression(cursor);
    if (index.kind === 'reference' && cursor.take(':')) extents.set(index, parseExpression(cursor));
    return index;
  };
  const indices = cursor.nested(() => parseList(cursor, parseIndex, 'an index'), []);
  if (indices.length === 0) {
    cursor.fail('expected an index between the brackets', {
      span: cursor.span(open.start),
      hint: 'a tensor without axes is read by its bare name',
    });
  }
  return { indices, extents };
}

/** Reports the extents in a read, which has none. */
function reportExtents(cursor: Cursor, { extents }: Bracket): void {
  for (const [{ span }] of extents) {
    cursor.fail('an index of a read has no extent', {
      span,
      hint: 'an extent belongs to an index on the left side, `y[i: 14] = ...`, or of a reduction, `sum[i: 14](...)`',
    });
  }
}

/** What stands between a function and its arguments must be names: `sum[i, j: 3](...)`. */
function asBinders(cursor: Cursor, { indices, extents }: Bracket): Binder[] {
  const binders: Binder[] = [];
  for (const index of indices) {
    if (index.kind === 'reference') {
      const extent = extents.get(index);
      binders.push(extent === undefined ? index.name : { ...index.name, extent });
    } else {
      cursor.fail('expected the name of an index', {
        span: index.span,
        hint: 'the brackets of a function name the indices it works over: `sum[i, j](...)`',
      });
    }
  }
  return binders;
}

function parseArguments(cursor: Cursor): Argument[] {
  const parseArgument = (): Argument => {
    const { current: token, next } = cursor;
    if (cursor.take('..')) {
      const span = cursor.spanOf(token);
      return { value: { kind: 'reference', name: { text: '..', span }, span } };
    }
    if ((token.kind !== 'name' && token.kind !== 'keyword') || !is(next, '=')) {
      return { value: parseExpression(cursor) };
    }
    const name = cursor.expectName('the name of an argument');
    cursor.take('=');
    const value = parseExpression(cursor);
    return name === undefined ? { value } : { name, value };
  };
  return cursor.nested(() => parseList(cursor, parseArgument, 'an argument'), []);
}

function makeCall(
  cursor: Cursor,
  start: number,
  callee: Name,
  binders: readonly Binder[] | undefined,
  values: readonly Argument[],
  piped: boolean,
): SyntaxExpression {
  const node: Call = {
    kind: 'call',
    callee,
    ...(binders === undefined ? {} : { binders }),
    arguments: values,
    piped,
    span: cursor.span(start),
  };
  const extents = (binders ?? []).flatMap(({ extent }) => (extent === undefined ? [] : [extent]));
  return cursor.made(node, [...values.map(({ value }) => value), ...extents]);
}
