/**
 * A loop in whose body a guard changes at known turns is cut there into one loop a piece, without the guard:
 *
 *     for (g < 512) ds[g] = (g < 128 ? a[g] : 0) + (g >= 128 ? b[g - 128] : 0)
 *
 * becomes a loop over 0 .. 127 that reads a and one over 128 .. 511 that reads b. So what is put together of parts (the gates
 * of a recurrence side by side, queries, keys and values, `concat`) costs what its parts cost. A factor that is 0 outside
 * makes its term vanish, as in guards.ts.
 */
import { evaluateBinary, evaluateUnary } from '../graph/expressions.ts';
import { integer } from './integers.ts';
import type { Condition, IntegerExpression, LoopStatement, Value } from './types.ts';

/** Shorter pieces are not worth a loop of their own: that the first turn is another costs a test that is always foreseen. */
const leastTurns = 4;
const mostPieces = 6;
/** All pieces together have at most so many times the statements and operators of the loop: code is to be read. */
const mostGrowth = 1.5;

/** The statements, with their loops cut where that takes guards out of them. */
export function cutLoops(statements: readonly LoopStatement[]): LoopStatement[] {
  return statements.flatMap((statement): LoopStatement[] => {
    if (statement.kind === 'if')
      return [{ ...statement, then: cutLoops(statement.then), otherwise: cutLoops(statement.otherwise) }];
    if (statement.kind !== 'for') return [statement];
    return cut(statement).map((piece) => ({ ...piece, body: cutLoops(piece.body) }));
  });
}

type Loop = Extract<LoopStatement, { kind: 'for' }>;

function cut(loop: Loop): Loop[] {
  const { index, from, to, step, body } = loop;
  if (from.kind !== 'integer' || to.kind !== 'integer' || step !== 1) return [loop];
  const found = new Set<number>();
  let calls = false;
  visit(body, (node) => {
    if (node.kind === 'call') calls = true;
    if (node.kind === 'compare_integer') for (const turn of changesOf(node, index)) found.add(turn);
  });
  const inside = [...found].filter((turn) => turn > from.value && turn < to.value);
  const ends = [from.value, ...inside.toSorted((a, b) => a - b), to.value];
  const pieces = ends.slice(1).map((end, place) => ({ index, from: ends[place] ?? end, to: end }));
  const fits =
    pieces.length > 1 &&
    pieces.length <= mostPieces &&
    pieces.every((piece) => piece.to - piece.from >= leastTurns) &&
    !calls;
  if (!fits) return [loop];
  const loops = pieces.map((range) => ({
    ...loop,
    from: integer(range.from),
    to: integer(range.to),
    body: withoutUnused(new Piece(range).statements(body)),
  }));
  return countNodes(loops) <= mostGrowth * countNodes([loop]) ? loops : [loop];
}

// ------------------------------------------------------------------------------------------------- where guards change

type Comparison = Extract<Condition, { kind: 'compare_integer' }>;

/** index · 1 + constant, of an integer that is such a sum. */
function shiftOf(value: IntegerExpression, index: string): number | undefined {
  if (value.kind === 'variable') return value.name === index ? 0 : undefined;
  if (value.kind !== 'sum' || value.terms.length !== 2) return undefined;
  const [first, second] = value.terms;
  const isShifted = first?.kind === 'variable' && first.name === index && second?.kind === 'integer';
  return isShifted ? second.value : undefined;
}

const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' } as const;

/** The comparison as `index operator bound`; undefined where it is of anything else. */
function boundOf(
  { operator, left, right }: Comparison,
  index: string,
): { operator: Comparison['operator']; bound: number } | undefined {
  const [own, other, turned] =
    right.kind === 'integer' ? [left, right, operator] : [right, left, mirrored[operator]];
  const shift = shiftOf(own, index);
  return shift === undefined || other.kind !== 'integer'
    ? undefined
    : { operator: turned, bound: other.value - shift };
}

/** The turns at which the truth of a comparison changes. */
function changesOf(comparison: Comparison, index: string): number[] {
  const found = boundOf(comparison, index);
  if (found === undefined) return [];
  const { operator, bound } = found;
  if (operator === '<' || operator === '>=') return [bound];
  return operator === '<=' || operator === '>' ? [bound + 1] : [bound, bound + 1];
}

// ---------------------------------------------------------------------------------------------------------- one piece

interface Range {
  readonly index: string;
  readonly from: number;
  readonly to: number;
}

/** The body of a loop where its index is in a range: what the range decides is decided. */
class Piece {
  private readonly range: Range;
  /** Constants that turned out to be numbers or other constants. */
  private readonly known = new Map<string, Value>();
  /** Zeros that stand for what is not there: a product with one is not there, either. */
  private readonly absent = new WeakSet<Value>();

  constructor(range: Range) {
    this.range = range;
  }

  statements(body: readonly LoopStatement[]): LoopStatement[] {
    return body.flatMap((statement): LoopStatement[] => {
      switch (statement.kind) {
        case 'constant': {
          const value = this.value(statement.value);
          const isKnown = value !== statement.value && (value.kind === 'number' || value.kind === 'variable');
          if (!isKnown) return [{ ...statement, value }];
          this.known.set(statement.name, value);
          return [];
        }
        case 'accumulator':
          return [{ ...statement, initial: this.value(statement.initial) }];
        case 'set':
        case 'store':
          return [{ ...statement, value: this.value(statement.value) }];
        case 'for':
          return [{ ...statement, body: this.statements(statement.body) }];
        case 'if': {
          const condition = this.condition(statement.condition);
          const [then, otherwise] = [this.statements(statement.then), this.statements(statement.otherwise)];
          if (typeof condition === 'boolean') return condition ? then : otherwise;
          return [{ ...statement, condition, then, otherwise }];
        }
        default:
          return [statement];
      }
    });
  }

  /** The very same object where nothing is decided. */
  private value(node: Value): Value {
    switch (node.kind) {
      case 'variable':
        return this.known.get(node.name) ?? node;
      case 'unary': {
        const operand = this.value(node.operand);
        if (operand === node.operand) return node;
        if (operand.kind !== 'number') return { ...node, operand };
        const value = evaluateUnary[node.operator](operand.value);
        return this.absent.has(operand) && value === 0 ? this.zero() : { kind: 'number', value };
      }
      case 'binary': {
        const [left, right] = [this.value(node.left), this.value(node.right)];
        return left === node.left && right === node.right ? node : this.joined({ ...node, left, right });
      }
      case 'select': {
        const condition = this.condition(node.condition);
        if (typeof condition === 'boolean') {
          const chosen = this.value(condition ? node.then : node.otherwise);
          return chosen.kind === 'number' && chosen.value === 0 ? this.zero() : chosen;
        }
        const [then, otherwise] = [this.value(node.then), this.value(node.otherwise)];
        const isSame = condition === node.condition && then === node.then && otherwise === node.otherwise;
        return isSame ? node : { ...node, condition, then, otherwise };
      }
      case 'truth': {
        const condition = this.condition(node.condition);
        if (condition === false) return this.zero();
        if (condition === true) return { kind: 'number', value: 1 };
        return condition === node.condition ? node : { ...node, condition };
      }
      default:
        return node;
    }
  }

  /** An operation one of whose operands is decided. */
  private joined(node: Extract<Value, { kind: 'binary' }>): Value {
    const { operator, left, right } = node;
    const [noLeft, noRight] = [this.absent.has(left), this.absent.has(right)];
    if (operator === 'multiply' && (noLeft || noRight)) return this.zero();
    if (operator === 'divide' && noLeft) return this.zero();
    if ((operator === 'add' || operator === 'subtract') && noRight) return left;
    if (operator === 'add' && noLeft) return right;
    if (operator === 'subtract' && noLeft) return { kind: 'unary', operator: 'negate', operand: right };
    if (operator === 'multiply' && isOne(left)) return right;
    if (operator === 'multiply' && isOne(right)) return left;
    if (left.kind !== 'number' || right.kind !== 'number') return node;
    return { kind: 'number', value: evaluateBinary[operator](left.value, right.value) };
  }

  private zero(): Value {
    const value: Value = { kind: 'number', value: 0 };
    this.absent.add(value);
    return value;
  }

  /** True or false where the range decides, otherwise what is left of the condition. */
  private condition(node: Condition): Condition | boolean {
    switch (node.kind) {
      case 'compare_integer':
        return this.decided(node) ?? node;
      case 'compare': {
        const [left, right] = [this.value(node.left), this.value(node.right)];
        return left === node.left && right === node.right ? node : { ...node, left, right };
      }
      case 'nonzero': {
        const value = this.value(node.value);
        if (value.kind === 'number' && value !== node.value) return value.value !== 0;
        return value === node.value ? node : { ...node, value };
      }
      case 'not': {
        const of = this.condition(node.of);
        if (typeof of === 'boolean') return !of;
        return of === node.of ? node : { ...node, of };
      }
      case 'all':
      case 'any': {
        const deciding = node.kind === 'any';
        const of = node.of.map((part) => this.condition(part));
        if (of.includes(deciding)) return deciding;
        const left = of.filter((part) => typeof part !== 'boolean');
        const [only] = left;
        if (only === undefined) return !deciding;
        if (left.length === 1) return only;
        return left.every((part, place) => part === node.of[place]) ? node : { ...node, of: left };
      }
    }
  }

  private decided(comparison: Comparison): boolean | undefined {
    const found = boundOf(comparison, this.range.index);
    if (found === undefined) return undefined;
    const { operator, bound } = found;
    const { from, to } = this.range;
    const last = to - 1;
    switch (operator) {
      case '<':
        return last < bound ? true : from >= bound ? false : undefined;
      case '<=':
        return last <= bound ? true : from > bound ? false : undefined;
      case '>':
        return from > bound ? true : last <= bound ? false : undefined;
      case '>=':
        return from >= bound ? true : last < bound ? false : undefined;
      case '==':
      case '!=': {
        const equal =
          from === bound && last === bound ? true : bound < from || bound > last ? false : undefined;
        return equal === undefined ? undefined : equal === (operator === '==');
      }
    }
  }
}

function isOne(value: Value): boolean {
  return value.kind === 'number' && value.value === 1;
}

// ------------------------------------------------------------------------------------------------------ what is unused

/** Without constants that nothing reads any more. */
function withoutUnused(body: readonly LoopStatement[]): LoopStatement[] {
  const read = new Set<string>();
  visit(body, (node) => {
    if (node.kind === 'variable') read.add(node.name);
  });
  const sweep = (statements: readonly LoopStatement[]): LoopStatement[] =>
    statements.flatMap((statement): LoopStatement[] => {
      if (statement.kind === 'for') return [{ ...statement, body: sweep(statement.body) }];
      if (statement.kind === 'if')
        return [{ ...statement, then: sweep(statement.then), otherwise: sweep(statement.otherwise) }];
      const isConstant = statement.kind === 'constant' || statement.kind === 'integer_constant';
      return isConstant && !read.has(statement.name) ? [] : [statement];
    });
  const left = sweep(body);
  return countNodes(left) < countNodes(body) ? withoutUnused(left) : left;
}

function countNodes(body: readonly LoopStatement[]): number {
  let nodes = 0;
  visit(body, () => nodes++);
  return nodes;
}

type Node = LoopStatement | Value | Condition | IntegerExpression;

/** Calls `see` for all that loop statements are made of. */
function visit(body: readonly LoopStatement[], see: (node: Node) => void): void {
  const pending: Node[] = [...body];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    see(node);
    pending.push(...partsOf(node));
  }
}

function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'integer':
    case 'variable':
    case 'number':
    case 'fill':
    case 'comment':
      return [];
    case 'sum':
      return node.terms;
    case 'product':
    case 'minimum':
    case 'maximum':
    case 'binary':
    case 'compare':
    case 'compare_integer':
      return [node.left, node.right];
    case 'floor_divide':
    case 'modulo':
      return [node.of];
    case 'not':
      return [node.of];
    case 'all':
    case 'any':
      return node.of;
    case 'load_integer':
    case 'load':
      return [node.offset];
    case 'from_integer':
    case 'nonzero':
      return [node.value];
    case 'unary':
      return [node.operand];
    case 'select':
      return [node.condition, node.then, node.otherwise];
    case 'truth':
      return [node.condition];
    case 'for':
      return [node.from, node.to, ...node.body];
    case 'constant':
    case 'integer_constant':
    case 'set':
    case 'set_integer':
      return [node.value];
    case 'accumulator':
    case 'integer_accumulator':
      return [node.initial];
    case 'store':
    case 'store_integer':
      return [node.offset, node.value];
    case 'if':
      return [node.condition, ...node.then, ...node.otherwise];
    case 'call':
      return node.arguments.flatMap((argument) => (argument.kind === 'integer' ? [argument.value] : []));
  }
}
