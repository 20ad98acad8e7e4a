/** Declarations: `dim`, `input`, `param`, `state`, `random`. */
import type { Cursor } from './cursor.ts';
import { parseExpression, parseList } from './expressions.ts';
import { giveUp, lastValue, whole } from './statements.ts';
import type { Target } from './statements.ts';
import type {
  DimDeclaration,
  InputDeclaration,
  Name,
  ParamDeclaration,
  RandomDeclaration,
  StateDeclaration,
  SyntaxAxis,
  SyntaxExpression,
} from './tree.ts';

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

/** `input x[n, 28, 28]`, `input label[n]: 10`, `input offset[n]: -100 .. 9`, `input sample_weight[n] = 1` */
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
  }
  let fallback: SyntaxExpression | undefined;
  if (cursor.take('=')) fallback = parseExpression(cursor);
  else if (cursor.at('~')) {
    cursor.expected(
      range === undefined ? '`:`, `=` or end of line after an input' : '`=` or end of line after a range',
      'an input has no first value: its values come with the data; `= 1` is what it is where it is left out',
    );
  }
  const end = cursor.lastEnd;
  const isWhole = !cursor.isLost && cursor.atEnd;
  const last = fallback ? 'the default of an input' : range ? 'the range of an input' : 'an input';
  cursor.finishStatement(last);
  if (!isWhole && fallback !== undefined) fallback = { kind: 'error', span: fallback.span };
  else if (!isWhole && range !== undefined)
    range = { bound: { kind: 'error', span: range.span }, span: range.span };
  return {
    kind: 'input',
    name,
    axes,
    ...(range === undefined ? {} : { range }),
    ...(fallback === undefined ? {} : { default: fallback }),
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
