/** The statements that stand in blocks: assignments, scatters, outputs, loss and metrics. */
import type { Span } from '../diagnostics/source.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression, parseList } from './expressions.ts';
import { is } from './tokens.ts';
import type { Token } from './tokens.ts';
import { scatterOperators } from './tree.ts';
import type {
  Assignment,
  Binding,
  LossDeclaration,
  MetricDeclaration,
  Name,
  OutputDeclaration,
  Position,
  Requirement,
  Scatter,
  SyntaxExpression,
} from './tree.ts';

/**
 * The last expression of a statement, and the end of the statement. What is not right to the end is an
 * ErrorExpression: a value cut short must not be checked as if it were meant.
 */
export function lastValue(cursor: Cursor, after: string, parse = parseExpression): SyntaxExpression {
  const { start } = cursor.current;
  const value = parse(cursor);
  const { isLost, lastEnd } = cursor;
  const isWhole = !isLost && cursor.atEnd && cursor.actual.kind !== 'bad';
  cursor.finishStatement(after);
  if (isWhole) return value;
  const span = { source: cursor.source, start: Math.min(start, lastEnd), end: lastEnd };
  return { kind: 'error', span };
}

/** A statement of which nothing can be kept. */
export function giveUp(cursor: Cursor, after: string): undefined {
  cursor.finishStatement(after);
  return undefined;
}

export const whole = (cursor: Cursor, start: number, value: { readonly span: Span }): Span =>
  cursor.span(start, Math.max(start, value.span.end));

/** What stands on the left of `=`. */
export type Target = 'tensor' | 'name';

/**
 * `h[n, j] = ...`. Undefined if this is no assignment; then it has been reported. With target `name` the left side
 * takes no indices (in a fn, an optimizer, a schedule).
 */
export function parseAssignment(cursor: Cursor, target: Target): Assignment | undefined {
  const name = cursor.expectName('a name');
  if (name === undefined) return giveUp(cursor, 'a statement');
  return parseAssignmentRest(cursor, name, target);
}

export function parseAssignmentRest(cursor: Cursor, name: Name, target: Target): Assignment | undefined {
  const { start } = name.span;
  if (target === 'tensor' && cursor.at('[') && scatterOperator(...cursor.afterBrackets) !== undefined)
    return parseScatter(cursor, name);
  const bindings = cursor.at('[') ? parseBindings(cursor) : undefined;
  if (bindings !== undefined && target === 'name') {
    cursor.fail(`\`${name.text}\` cannot have indices here`, { span: cursor.span(start) });
  }
  const isMeant = expectAssign(cursor, name);
  const value = lastValue(cursor, 'an expression');
  if (!isMeant) return undefined;
  const parts = bindings === undefined || target === 'name' ? {} : { bindings };
  return { kind: 'assignment', name, ...parts, value, span: whole(cursor, start, value) };
}

/** Takes `=`. False if what stands here was hardly meant as an assignment, so that its name is not to be known. */
function expectAssign(cursor: Cursor, name: Name): boolean {
  if (cursor.isLost || cursor.take('=')) return true;
  const found = cursor.actual;
  if (is(found, '==')) {
    cursor.diagnostics.error('E102', cursor.spanOf(found), 'expected `=`, found `==`', {
      hint: 'an assignment is written with one `=`',
    });
    cursor.advance();
    return true;
  }
  const update = updates[found.text];
  if (found.kind === 'symbol' && update !== undefined) {
    cursor.expected(`\`=\` after \`${name.text}\``, `a name is assigned once: give the ${update} a new name`);
    return false;
  }
  const isValue = ['name', 'number', 'string'].includes(found.kind);
  const isParam = is(found, '~');
  const hint = isParam ? 'is `param` missing before it?' : isValue ? 'is the `=` missing?' : undefined;
  cursor.expected(
    `\`=\` after \`${name.text}\``,
    hint ?? 'a statement gives a name to a value: `y = relu(x)`',
  );
  return isValue || isParam;
}

const updates: Readonly<Record<string, string>> = { '+=': 'sum', '*=': 'product' };

/** The operator of a scatter that these two tokens are: `+=`, or `max` and `=`. */
function scatterOperator(first: Token, second: Token): Scatter['operator'] | undefined {
  const text = first.kind === 'name' && is(second, '=') ? `${first.text}=` : first.text;
  return scatterOperators.find((operator) => operator === text);
}

/** `dE[token[n, t]: 96, d] += dy[n, t, d] for n, t, d`, after the name. */
function parseScatter(cursor: Cursor, name: Name): Assignment | undefined {
  const positions = parseList(cursor, parsePosition, 'a place');
  if (positions.length === 0) cursor.fail('expected a place between the brackets');
  const first = cursor.current;
  const operator = scatterOperator(first, cursor.next);
  if (operator === undefined) return giveUp(cursor, 'a place');
  cursor.advance();
  if (first.kind === 'name') cursor.advance();
  const span = cursor.span(first.start);
  const value = parseExpression(cursor);
  const loops: Binding[] = [];
  if (!cursor.isLost && cursor.current.kind === 'name' && cursor.current.text === 'for') {
    cursor.advance();
    do {
      const loop = parseBinding(cursor);
      if (loop !== undefined) loops.push(loop);
    } while (cursor.take(','));
  }
  const isWhole = !cursor.isLost && cursor.atEnd && cursor.actual.kind !== 'bad';
  const end = cursor.lastEnd;
  cursor.finishStatement(loops.length > 0 ? 'an index' : 'an expression');
  return {
    kind: 'assignment',
    name,
    scatter: { positions, operator, span, loops },
    value: isWhole ? value : { kind: 'error', span: value.span },
    span: cursor.span(name.span.start, end),
  };
}

/** `token[n, t]: 96` */
function parsePosition(cursor: Cursor): Position {
  const { start } = cursor.current;
  const index = parseExpression(cursor);
  const extent = cursor.take(':') ? parseExpression(cursor) : undefined;
  return { index, ...(extent === undefined ? {} : { extent }), span: cursor.span(start) };
}

/** `n`, `j: 14` or `..` on the left side of an assignment. */
function parseBinding(cursor: Cursor): Binding | undefined {
  const token = cursor.current;
  if (cursor.take('..')) return { kind: 'rest', span: cursor.spanOf(token) };
  if (token.kind !== 'name' && token.kind !== 'keyword') {
    cursor.expected(
      'the name of an index',
      'the left side names indices; arithmetic on them belongs to the right',
    );
  }
  const name = cursor.expectName('the name of an index');
  if (name === undefined) return undefined;
  const extent = cursor.take(':') ? parseExpression(cursor) : undefined;
  const span = extent === undefined ? name.span : cursor.span(token.start);
  return { kind: 'index', name, ...(extent === undefined ? {} : { extent }), span };
}

/** `[n, j: 14, ..]` on the left side of an assignment. */
export function parseBindings(cursor: Cursor): Binding[] {
  const open = cursor.current;
  const bindings = parseList(cursor, parseBinding, 'an index');
  if (bindings.length === 0) {
    cursor.fail('expected an index between the brackets', {
      span: cursor.span(open.start),
      hint: 'a single number is assigned to a bare name',
    });
  }
  return bindings;
}

/** `output p[n, k] = ...` or `output p` */
export function parseOutput(cursor: Cursor): OutputDeclaration | undefined {
  const { start } = cursor.advance();
  if (cursor.at('loss')) {
    cursor.fail('the loss is reported in any case and is no output', {
      code: 'E209',
      hint: 'to have it from `predict` as well give it another name: `output l = loss`',
    });
    return giveUp(cursor, 'an output');
  }
  const name = cursor.expectName('the name of an output');
  if (name === undefined) return giveUp(cursor, 'the name of an output');
  if (cursor.atEnd && !cursor.isLost) {
    const span = cursor.span(start);
    cursor.finishStatement('an output');
    return { kind: 'output', name, span };
  }
  const assignment = parseAssignmentRest(cursor, name, 'tensor');
  const span = assignment === undefined ? name.span : assignment.span;
  return {
    kind: 'output',
    name,
    ...(assignment === undefined ? {} : { assignment }),
    span: cursor.span(start, span.end),
  };
}

/** `require pad < size, "pad must be less than size"` */
export function parseRequirement(cursor: Cursor): Requirement | undefined {
  const { start } = cursor.advance();
  const condition = parseExpression(cursor);
  const hint = 'say what is required: `require pad < size, "pad must be less than size"`';
  cursor.expect(',', 'and a text after the condition', hint);
  const text = cursor.current;
  if (text.kind === 'string') cursor.advance();
  else cursor.expected('a text in quotes', hint);
  const isWhole = !cursor.isLost && cursor.atEnd;
  const span = cursor.span(start);
  cursor.finishStatement('a text');
  return isWhole ? { kind: 'require', condition, message: text.text, span } : undefined;
}

/** `loss = ...` */
export function parseLoss(cursor: Cursor): LossDeclaration {
  const token = cursor.advance();
  const value = parseNumberStatement(cursor, { text: 'loss', span: cursor.spanOf(token) });
  return { kind: 'loss', value, span: whole(cursor, token.start, value) };
}

/** `metric accuracy = ...` */
export function parseMetric(cursor: Cursor): MetricDeclaration | undefined {
  const { start } = cursor.advance();
  const name = cursor.expectName('the name of a metric');
  if (name === undefined) return giveUp(cursor, 'the name of a metric');
  const value = parseNumberStatement(cursor, name);
  return { kind: 'metric', name, value, span: whole(cursor, start, value) };
}

/** `= ...` of what must be a single number. */
function parseNumberStatement(cursor: Cursor, name: Name): SyntaxExpression {
  if (cursor.at('[')) {
    cursor.fail(`\`${name.text}\` is a single number and has no indices`, {
      hint: `reduce over them: \`${name.text} = mean[n](...)\``,
    });
  }
  expectAssign(cursor, name);
  return lastValue(cursor, 'an expression');
}
