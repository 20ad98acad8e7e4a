/** The statements that stand in blocks: declarations, assignments and the entries of `train`. */
import type { Span } from '../diagnostics/source.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression, parseList } from './expressions.ts';
import { is } from './tokens.ts';
import type { Token } from './tokens.ts';
import { scatterOperators } from './tree.ts';
import type {
  Assignment,
  Binding,
  DimDeclaration,
  InputDeclaration,
  LossDeclaration,
  MetricDeclaration,
  Name,
  OutputDeclaration,
  ParamDeclaration,
  Position,
  RandomDeclaration,
  Scatter,
  StateDeclaration,
  SyntaxAxis,
  SyntaxExpression,
  TrainEntry,
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
function giveUp(cursor: Cursor, after: string): undefined {
  cursor.finishStatement(after);
  return undefined;
}

const whole = (cursor: Cursor, start: number, value: { readonly span: Span }): Span =>
  cursor.span(start, Math.max(start, value.span.end));

// ---------------------------------------------------------------------------------------------------- declarations

/** `dim a = 784, b = 2 * a`: each is a declaration of its own; its span is `a = 784`. */
export function parseDims(cursor: Cursor): DimDeclaration[] {
  const dims: DimDeclaration[] = [];
  cursor.advance();
  do {
    const name = cursor.expectName(dims.length === 0 ? 'the name of a size' : 'the name of a size after `,`');
    if (name === undefined) break;
    cursor.expect('=', `and a size after \`${name.text}\``, 'a size is declared as `dim hidden = 64`');
    const value = parseExpression(cursor);
    dims.push({ kind: 'dim', name, value, span: whole(cursor, name.span.start, value) });
  } while (cursor.take(','));
  return finishGroup(cursor, dims, 'a size');
}

/** `state m ~ zeros, P[] ~ ones`; with target `tensor` (in a model, a layer) `state mean[c] ~ zeros`. */
export function parseStates(cursor: Cursor, target: Target): StateDeclaration[] {
  const states: StateDeclaration[] = [];
  cursor.advance();
  do {
    const name = cursor.expectName('the name of a state');
    if (name === undefined) break;
    const axes = target === 'tensor' ? parseAxes(cursor) : [];
    const scalar = target === 'name' && cursor.take('[');
    if (scalar)
      cursor.expect(']', 'right after `[`', 'a state has the shape of its parameter, or `[]`: one number');
    const initializer = parseInitializer(cursor, 'state');
    states.push({
      kind: 'state',
      name,
      axes,
      scalar,
      initializer,
      span: whole(cursor, name.span.start, initializer),
    });
  } while (cursor.take(','));
  return finishGroup(cursor, states, 'an initialiser');
}

/** The end of a statement that declares several things: the last one is spoilt if something is left over. */
function finishGroup<Item extends DimDeclaration | StateDeclaration>(
  cursor: Cursor,
  items: readonly Item[],
  after: string,
): Item[] {
  const isWhole = !cursor.isLost && cursor.atEnd;
  cursor.finishStatement(after);
  return items.map((item, position) => {
    if (isWhole || position < items.length - 1) return item;
    const error: SyntaxExpression = { kind: 'error', span: item.span };
    return item.kind === 'dim' ? { ...item, value: error } : { ...item, initializer: error };
  });
}

/** `input x[n, 28, 28]`, `input label[n]: 10`, `input offset[n]: -100 .. 9` */
export function parseInput(cursor: Cursor): InputDeclaration | undefined {
  const { start } = cursor.advance();
  const name = cursor.expectName('the name of an input');
  if (name === undefined) return giveUp(cursor, 'the name of an input');
  const axes = parseAxes(cursor);
  let range: InputDeclaration['range'];
  if (cursor.take(':')) {
    const first = parseExpression(cursor);
    const bound = cursor.take('..') ? parseExpression(cursor) : undefined;
    const span = cursor.span(Math.min(first.span.start, cursor.lastEnd));
    range = bound === undefined ? { bound: first, span } : { least: first, bound, span };
  } else if (cursor.at('~') || cursor.at('=')) {
    cursor.expected(
      '`:` or end of line after an input',
      'an input has no value here: its values come with the data',
    );
  }
  const end = cursor.lastEnd;
  const isWhole = !cursor.isLost && cursor.atEnd;
  cursor.finishStatement(range === undefined ? 'an input' : 'the range of an input');
  if (!isWhole && range !== undefined)
    range = { bound: { kind: 'error', span: range.span }, span: range.span };
  return {
    kind: 'input',
    name,
    axes,
    ...(range === undefined ? {} : { range }),
    span: cursor.span(start, end),
  };
}

/** `param W[i, units] ~ glorot_uniform` */
export function parseParam(cursor: Cursor): ParamDeclaration | undefined {
  const { start } = cursor.advance();
  const name = cursor.expectName('the name of a parameter');
  if (name === undefined) return giveUp(cursor, 'the name of a parameter');
  return parseParamRest(cursor, start, name);
}

/** `random u[.., units] ~ bernoulli(0.9)` */
export function parseRandom(cursor: Cursor): RandomDeclaration | undefined {
  const { start } = cursor.advance();
  const name = cursor.expectName('the name of what is drawn');
  if (name === undefined) return giveUp(cursor, 'the name of what is drawn');
  const axes = parseAxes(cursor, { rest: true });
  const distribution = lastValue(cursor, 'a distribution', (here) => {
    here.expect('~', 'and a distribution', 'for example `~ uniform(0, 1)`');
    return parseExpression(here);
  });
  return { kind: 'random', name, axes, distribution, span: whole(cursor, start, distribution) };
}

/** After the name. */
export function parseParamRest(cursor: Cursor, start: number, name: Name): ParamDeclaration {
  const axes = parseAxes(cursor);
  const initializer = lastValue(cursor, 'an initialiser', (here) => parseInitializer(here, 'param'));
  return { kind: 'param', name, axes, initializer, span: whole(cursor, start, initializer) };
}

/** `~ zeros`, `~ normal(0, 0.02)`, `~ -0.5`, `~ [[1, 2], [3, 4]]` */
function parseInitializer(cursor: Cursor, what: 'param' | 'state'): SyntaxExpression {
  const { start } = cursor.current;
  const example = what === 'param' ? '~ glorot_uniform' : '~ zeros';
  if (cursor.at('=')) {
    cursor.expected('`~` and an initialiser', `a ${what} begins at random or given values: \`${example}\``);
  } else {
    cursor.expect('~', 'and an initialiser', `for example \`${example}\``);
  }
  const value = parseExpression(cursor);
  if (cursor.isLost || isInitializer(value)) return value;
  cursor.diagnostics.error('E503', value.span, 'this is no initialiser', {
    hint: 'an initialiser is a name such as `zeros`, a call such as `normal(0, 0.02)`, a number or a list of numbers; a formula is written `constant(1 / 3)`',
  });
  return { kind: 'error', span: cursor.span(start) };
}

const isInitializer = (value: SyntaxExpression): boolean =>
  ['reference', 'number', 'list', 'error'].includes(value.kind) ||
  (value.kind === 'call' && !value.piped && value.binders === undefined) ||
  (value.kind === 'unary' && value.operator === '-' && value.operand.kind === 'number');

/** `[n, 2 * hidden, ..]`, or nothing. */
export function parseAxes(cursor: Cursor, allowed: { rest?: boolean; any?: boolean } = {}): SyntaxAxis[] {
  const open = cursor.current;
  if (!cursor.at('[')) return [];
  const parseAxis = (): SyntaxAxis => {
    const token = cursor.current;
    if (allowed.rest === true && cursor.take('..')) return { kind: 'rest', span: cursor.spanOf(token) };
    if (allowed.any === true && token.kind === 'name' && token.text === '_') {
      cursor.advance();
      return { kind: 'any', span: cursor.spanOf(token) };
    }
    if (cursor.at('..')) cursor.expected('a size', '`..` is for the tensors that a layer takes and gives');
    const value = parseExpression(cursor);
    return { kind: 'size', value, span: value.span };
  };
  const axes = parseList(cursor, parseAxis, 'a size');
  if (axes.length === 0) {
    cursor.fail('expected a size between the brackets', {
      span: cursor.span(open.start),
      hint: 'a single number is declared without brackets',
    });
  }
  return axes;
}

// ----------------------------------------------------------------------------------------------------- assignments

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
function parseBindings(cursor: Cursor): Binding[] {
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

// ----------------------------------------------------------------------------------------------------------- train

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
