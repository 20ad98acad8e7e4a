/**
 * From expressions to loop values inside one nest of loops. Every value is known at some depth (0: before the first
 * loop); what is known further out than where it is used becomes a constant there, and so does what is used twice.
 */
import {
  Interner,
  add,
  children,
  indexBounds,
  isInside,
  negate,
  postorder,
  unary,
} from '../graph/expressions.ts';
import type { BinaryOperator, Expression, Extent, Read, Tensor } from '../graph/types.ts';
import { flatten } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import { exactQuotients } from './guards.ts';
import { integer, isTrivialInteger, modulo } from './integers.ts';
import { Places, compareIntegers } from './places.ts';
import type { At, Comparison } from './places.ts';
import type { Condition, IntegerExpression, Value } from './types.ts';
import { nameOfValue } from './value-names.ts';

const comparisons: Partial<Record<BinaryOperator, Comparison>> = {
  less: '<',
  less_equal: '<=',
  greater: '>',
  greater_equal: '>=',
  equal: '==',
  not_equal: '!=',
};

export class Lowering extends Places {
  private readonly interner = new Interner();
  private readonly uses = new Map<number, number>();
  private values = new Map<string, At<Value>>();
  /** Tensors whose value at the same place is already in a constant. */
  private readonly forwarded = new Map<string, At<Value>>();
  private accumulator: Value | undefined;
  /** Divide by what is known before the loop through its reciprocal: a unit in the last place for a faster loop. */
  private readonly viaReciprocals: boolean;
  private readonly reciprocals = new Map<string, Value>();

  constructor(
    scope: FunctionScope,
    tensors: ReadonlyMap<string, Tensor>,
    extents: ReadonlyMap<string, Extent>,
    options: { readonly viaReciprocals?: boolean } = {},
  ) {
    super(scope, tensors, extents);
    this.viaReciprocals = options.viaReciprocals ?? false;
  }

  protected override forget(depth: number): void {
    super.forget(depth);
    this.values = new Map([...this.values].filter(([, known]) => known.depth < depth));
  }

  override inBlock(emit: () => void): void {
    const before = this.values;
    this.values = new Map(before);
    super.inBlock(emit);
    this.values = before;
  }

  /** Counts afresh how often each value is used in these expressions: what occurs twice is computed once. */
  count(...roots: readonly Expression[]): void {
    this.uses.clear();
    const pending = [...roots];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      const id = this.interner.idOf(node);
      const uses = (this.uses.get(id) ?? 0) + 1;
      this.uses.set(id, uses);
      if (uses === 1) pending.push(...children(node));
    }
  }

  /** From now on, reads of this tensor (at the place of the loops) give this value. */
  forward(tensor: string, value: Value): void {
    this.forwarded.set(tensor, { value, depth: this.depth });
  }

  // -------------------------------------------------------------------------------------------------- real values

  /** The value as used at the present depth: what is known further out is bound there. */
  value(root: Expression): Value {
    return this.use(this.lower(root), this.depth, root);
  }

  /** The value of a finish, in which `accumulated` stands for the given one. */
  finished(root: Expression, accumulated: Value): Value {
    this.accumulator = accumulated;
    const value = this.value(root);
    this.accumulator = undefined;
    // What is made of it is another value in the next epilogue.
    const made = new Set<Expression>();
    for (const node of postorder(root)) {
      if (node.kind !== 'accumulated' && !children(node).some((child) => made.has(child))) continue;
      made.add(node);
      this.values.delete(this.key(node));
    }
    return value;
  }

  private use(known: At<Value>, depth: number, node: Expression): Value {
    const again = (this.uses.get(this.interner.idOf(node)) ?? 0) > 1;
    // Lowering its sibling may have bound the node in the meantime.
    const { value: now } = this.values.get(this.key(node)) ?? known;
    if ((known.depth >= depth && !again) || isTrivial(now)) return now;
    const name = this.scope.declare(nameOfValue(node, this.loops));
    this.at(known.depth).push({ kind: 'constant', name, value: now });
    const value: Value = { kind: 'variable', name };
    this.values.set(this.key(node), { value, depth: known.depth });
    return value;
  }

  private key(node: Expression): string {
    return String(this.interner.idOf(node));
  }

  private lower(node: Expression): At<Value> {
    const known = this.values.get(this.key(node));
    if (known) return known;
    const result = this.lowerNode(node);
    this.values.set(this.key(node), result);
    return result;
  }

  private lowerNode(node: Expression): At<Value> {
    switch (node.kind) {
      case 'constant': {
        const name = node.name === undefined ? {} : { name: node.name };
        return { value: { kind: 'number', value: node.value, ...name }, depth: 0 };
      }
      case 'extent_value':
        return { value: { kind: 'from_integer', value: this.scope.extent(node.extent) }, depth: 0 };
      case 'index_value': {
        const index = this.index(node.index);
        return { value: { kind: 'from_integer', value: index.value }, depth: index.depth };
      }
      case 'derivative':
        throw new Error('a derivative was left in the program');
      case 'accumulated':
        if (!this.accumulator) throw new Error('an accumulated value outside a finish');
        return { value: this.accumulator, depth: this.depth };
      case 'read':
        return this.read(node);
      case 'unary': {
        if (node.operator === 'not') return truth(this.condition(node));
        if (node.operator === 'stop_gradient') return this.lower(node.operand);
        if (node.operator === 'softplus' && this.hasOpposite(node.operand))
          return this.lower(this.byTail(node.operand));
        const operand = this.lower(node.operand);
        const value = this.use(operand, operand.depth, node.operand);
        return { value: { kind: 'unary', operator: node.operator, operand: value }, depth: operand.depth };
      }
      case 'binary': {
        if (node.operator === 'and' || node.operator === 'or' || node.operator in comparisons)
          return truth(this.condition(node));
        if (this.viaReciprocals && node.operator === 'divide') {
          const quotient = this.timesReciprocal(node.left, node.right);
          if (quotient) return quotient;
        }
        const [left, right, depth] = this.pair(node.left, node.right);
        return { value: { kind: 'binary', operator: node.operator, left, right }, depth };
      }
      case 'select': {
        const condition = this.condition(node.condition);
        const [then, otherwise, inner] = this.pair(node.then, node.otherwise);
        const depth = Math.max(condition.depth, inner);
        return { value: { kind: 'select', condition: condition.value, then, otherwise }, depth };
      }
      case 'call':
        throw new Error(`a call of ${node.callee.name} was not replaced by its value`);
    }
  }

  /** Of softplus(u): softplus(-u) is wanted, too. */
  private hasOpposite(operand: Expression): boolean {
    const opposite =
      operand.kind === 'unary' && operand.operator === 'negate' ? operand.operand : negate(operand);
    return (this.uses.get(this.interner.idOf(unary('softplus', opposite))) ?? 0) > 0;
  }

  /** max(u, 0) + softplus(-|u|), to the bit: the exponential and the logarithm serve softplus(-u), too. */
  private byTail(operand: Expression): Expression {
    const size = operand.kind === 'unary' && operand.operator === 'negate' ? operand.operand : operand;
    const tail = unary('softplus', negate(unary('abs', size)));
    this.uses.set(this.interner.idOf(tail), 2);
    return add(unary('relu', operand), tail);
  }

  /** left · (1 / right), the reciprocal bound before the first loop; undefined where right is not known there. */
  private timesReciprocal(left: Expression, right: Expression): At<Value> | undefined {
    const dividend = this.lower(left);
    const divisor = this.lower(right);
    if (divisor.depth > 0 || dividend.depth === 0 || isLiteral(divisor.value)) return undefined;
    let reciprocal = this.reciprocals.get(this.key(right));
    if (!reciprocal) {
      const name = this.scope.declare(`inverse_${nameOfValue(right, this.loops).replace(/_value$/, '')}`);
      const one: Value = { kind: 'number', value: 1 };
      const value: Value = {
        kind: 'binary',
        operator: 'divide',
        left: one,
        right: this.use(divisor, 0, right),
      };
      this.at(0).push({ kind: 'constant', name, value });
      reciprocal = { kind: 'variable', name };
      this.reciprocals.set(this.key(right), reciprocal);
    }
    const factor = this.use(dividend, dividend.depth, left);
    return {
      value: { kind: 'binary', operator: 'multiply', left: factor, right: reciprocal },
      depth: dividend.depth,
    };
  }

  private pair(left: Expression, right: Expression): [Value, Value, number] {
    const first = this.lower(left);
    const second = this.lower(right);
    const depth = Math.max(first.depth, second.depth);
    return [this.use(first, depth, left), this.use(second, depth, right), depth];
  }

  private condition(node: Expression): At<Condition> {
    if (node.kind === 'unary' && node.operator === 'not') {
      const of = this.condition(node.operand);
      return { value: { kind: 'not', of: of.value }, depth: of.depth };
    }
    if (node.kind === 'binary' && (node.operator === 'and' || node.operator === 'or')) {
      const of = [this.condition(node.left), this.condition(node.right)];
      const depth = Math.max(...of.map((part) => part.depth));
      const kind = node.operator === 'and' ? 'all' : 'any';
      return { value: { kind, of: of.map((part) => part.value) }, depth };
    }
    const operator = node.kind === 'binary' ? comparisons[node.operator] : undefined;
    if (node.kind !== 'binary' || !operator) {
      const known = this.lower(node);
      return { value: { kind: 'nonzero', value: this.use(known, known.depth, node) }, depth: known.depth };
    }
    const [left, right, depth] = this.pair(node.left, node.right);
    const wholeLeft = asInteger(left);
    const wholeRight = asInteger(right);
    const value: Condition =
      wholeLeft && wholeRight
        ? { kind: 'compare_integer', operator, left: wholeLeft, right: wholeRight }
        : { kind: 'compare', operator, left, right };
    return { value, depth };
  }

  // -------------------------------------------------------------------------------------------------------- reads

  private read(node: Read): At<Value> {
    const ready = this.forwarded.get(node.tensor);
    if (ready) return ready;
    const tensor = this.tensor(node.tensor);
    const scalar = this.scope.number(node.tensor);
    if (scalar !== undefined) return { value: { kind: 'variable', name: scalar }, depth: 0 };
    const offset = this.place(node.tensor, flatten(tensor, node.at));
    const buffer = this.scope.buffer(node.tensor, 'read');
    const value: Value =
      tensor.element === 'integer'
        ? { kind: 'from_integer', value: { kind: 'load_integer', buffer, offset: offset.value } }
        : { kind: 'load', buffer, offset: offset.value };
    const guards = node.outside === undefined ? [] : this.guards(node, tensor);
    if (guards.length === 0 || node.outside === undefined) return { value, depth: offset.depth };
    const condition: Condition = { kind: 'all', of: guards.map((guard) => guard.value) };
    const depth = Math.max(offset.depth, ...guards.map((guard) => guard.depth));
    const otherwise: Value = { kind: 'number', value: node.outside };
    return { value: { kind: 'select', condition, then: value, otherwise }, depth };
  }

  private guards(node: Read, tensor: Tensor): At<Condition>[] {
    return node.at.flatMap((index, axis) => {
      const extent = tensor.axes[axis] ?? 1;
      const exactness = exactQuotients(index).map(({ of, by }) => {
        const inner = this.index(of);
        const rest = modulo(inner.value, by);
        return { value: compareIntegers(rest, '==', integer(0)), depth: inner.depth };
      });
      if (isInside(index, extent, this.extents, this.tensors)) return exactness;
      const bounds = indexBounds(index, this.extents, this.tensors);
      const place = this.index(index);
      const end = typeof extent === 'number' ? integer(extent) : this.scope.extent(extent);
      const below = { value: compareIntegers(place.value, '>=', integer(0)), depth: place.depth };
      const beyond = { value: compareIntegers(place.value, '<', end), depth: place.depth };
      const neverBelow = bounds !== undefined && bounds.least >= 0;
      const neverBeyond = bounds !== undefined && typeof extent === 'number' && bounds.greatest < extent;
      return [...exactness, ...(neverBelow ? [] : [below]), ...(neverBeyond ? [] : [beyond])];
    });
  }
}

function truth(condition: At<Condition>): At<Value> {
  return { value: { kind: 'truth', condition: condition.value }, depth: condition.depth };
}

/** A value that is a whole number by its form. */
function asInteger(value: Value): IntegerExpression | undefined {
  if (value.kind === 'from_integer') return value.value;
  return value.kind === 'number' && Number.isSafeInteger(value.value) ? integer(value.value) : undefined;
}

function isTrivial(value: Value): boolean {
  if (value.kind === 'from_integer') return isTrivialInteger(value.value);
  return value.kind === 'variable' || isLiteral(value);
}

/** Arithmetic of numbers, as `1 - 0.9`: every engine folds it, and it reads better in its place. */
function isLiteral(value: Value): boolean {
  if (value.kind === 'number') return true;
  if (value.kind === 'unary') return value.operator === 'negate' && isLiteral(value.operand);
  const arithmetic = ['add', 'subtract', 'multiply', 'divide'];
  return (
    value.kind === 'binary' &&
    arithmetic.includes(value.operator) &&
    isLiteral(value.left) &&
    isLiteral(value.right)
  );
}
