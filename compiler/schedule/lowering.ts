/**
 * From expressions to loop values inside one nest of loops. Every value is known at some depth (0: before the first
 * loop); what is known further out than where it is used becomes a constant there, and so does what is used twice.
 */
import { Interner, children, isInside, isPlainIndex, scaleIndex } from '../graph/expressions.ts';
import type {
  BinaryOperator,
  Expression,
  Extent,
  IndexAtom,
  IndexExpression,
  Read,
  Tensor,
  UnaryOperator,
} from '../graph/types.ts';
import { flatten } from './access.ts';
import type { Flat } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import { exactQuotients } from './guards.ts';
import type { Constraint } from './guards.ts';
import {
  floorDivide,
  integer,
  integerKey,
  isTrivialInteger,
  modulo,
  product,
  sum,
  variable,
} from './integers.ts';
import type { Condition, IntegerExpression, LoopStatement, Value } from './types.ts';

export interface At<T> {
  readonly value: T;
  readonly depth: number;
}

type Comparison = Extract<Condition, { kind: 'compare' }>['operator'];

const comparisons: Partial<Record<BinaryOperator, Comparison>> = {
  less: '<',
  less_equal: '<=',
  greater: '>',
  greater_equal: '>=',
  equal: '==',
  not_equal: '!=',
};

/** What a shared or hoisted value is called, where it has no better name. */
const valueNames: Partial<Record<BinaryOperator | UnaryOperator, string>> = {
  add: 'total',
  subtract: 'difference',
  multiply: 'product',
  divide: 'ratio',
  power: 'power',
  exp: 'exponential',
  log: 'logarithm',
  sqrt: 'root',
  tanh: 'tangent',
  negate: 'negative',
};

export class Lowering {
  readonly scope: FunctionScope;
  private readonly tensors: ReadonlyMap<string, Tensor>;
  private readonly extents: ReadonlyMap<string, Extent>;
  /** Loop index -> the variable and depth of its loop. */
  private readonly loops = new Map<string, At<string>>();
  /** What is declared at each depth, before anything deeper. */
  private readonly levels: LoopStatement[][] = [[]];
  private readonly interner = new Interner();
  private readonly uses = new Map<number, number>();
  private values = new Map<string, At<Value>>();
  private integers = new Map<string, At<IntegerExpression>>();
  /** Tensors whose value at the same place is already in a constant. */
  private readonly forwarded = new Map<string, At<Value>>();
  private accumulator: Value | undefined;

  constructor(
    scope: FunctionScope,
    tensors: ReadonlyMap<string, Tensor>,
    extents: ReadonlyMap<string, Extent>,
  ) {
    this.scope = scope;
    this.tensors = tensors;
    this.extents = extents;
  }

  get depth(): number {
    return this.levels.length - 1;
  }

  /** Opens a loop over `name`; several names if they were made one loop (then only the last occurs in places). */
  openLoop(name: string, base = name): string {
    const declared = this.scope.declare(base);
    this.levels.push([]);
    this.loops.set(name, { value: declared, depth: this.depth });
    return declared;
  }

  /** The declarations at the innermost depth so far, to which statements may be added. */
  get innermost(): LoopStatement[] {
    return this.at(this.depth);
  }

  /** Closes the innermost loop; its declarations are forgotten, and given back. */
  closeLoop(): LoopStatement[] {
    const depth = this.depth;
    const body = this.levels.pop() ?? [];
    for (const [name, loop] of this.loops) {
      if (loop.depth !== depth) continue;
      this.loops.delete(name);
      this.scope.release(loop.value);
    }
    this.values = new Map([...this.values].filter(([, known]) => known.depth < depth));
    this.integers = new Map([...this.integers].filter(([, known]) => known.depth < depth));
    return body;
  }

  private at(depth: number): LoopStatement[] {
    const level = this.levels[depth];
    if (!level) throw new Error(`no loop of depth ${depth} is open`);
    return level;
  }

  /** Counts how often each value is used, before the first is lowered: what occurs twice is computed once. */
  count(root: Expression): void {
    const pending = [root];
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
    return value;
  }

  private use(known: At<Value>, depth: number, node: Expression): Value {
    const again = (this.uses.get(this.interner.idOf(node)) ?? 0) > 1;
    if ((known.depth >= depth && !again) || isTrivial(known.value)) return known.value;
    const name = this.scope.declare(this.hint(node));
    this.at(known.depth).push({ kind: 'constant', name, value: known.value });
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
      case 'accumulated':
        if (!this.accumulator) throw new Error('an accumulated value outside a finish');
        return { value: this.accumulator, depth: this.depth };
      case 'read':
        return this.read(node);
      case 'unary': {
        if (node.operator === 'not') return truth(this.condition(node));
        if (node.operator === 'stop_gradient') return this.lower(node.operand);
        const operand = this.lower(node.operand);
        const value = this.use(operand, operand.depth, node.operand);
        return { value: { kind: 'unary', operator: node.operator, operand: value }, depth: operand.depth };
      }
      case 'binary': {
        if (node.operator === 'and' || node.operator === 'or' || node.operator in comparisons)
          return truth(this.condition(node));
        const [left, right, depth] = this.pair(node.left, node.right);
        return { value: { kind: 'binary', operator: node.operator, left, right }, depth };
      }
      case 'select': {
        const condition = this.condition(node.condition);
        const [then, otherwise, inner] = this.pair(node.then, node.otherwise);
        const depth = Math.max(condition.depth, inner);
        return { value: { kind: 'select', condition: condition.value, then, otherwise }, depth };
      }
    }
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
    const offset = this.place(node.tensor, flatten(tensor.axes, node.at));
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
      const place = this.index(index);
      const end = typeof extent === 'number' ? integer(extent) : this.scope.extent(extent);
      return [
        ...exactness,
        { value: compareIntegers(place.value, '>=', integer(0)), depth: place.depth },
        { value: compareIntegers(place.value, '<', end), depth: place.depth },
      ];
    });
  }

  /** A constraint that no loop bound can express. */
  guard(constraint: Constraint): At<Condition> {
    const index = this.index(constraint.index);
    const value =
      constraint.symbol === undefined ? index.value : sum(this.scope.extent(constraint.symbol), index.value);
    return { value: compareIntegers(value, '>=', integer(0)), depth: index.depth };
  }

  /** `index == 0`, with the terms of negative coefficient on the other side. */
  equality(index: IndexExpression): Condition {
    const isLeft = ({ coefficient }: IndexExpression['terms'][number]): boolean => coefficient > 0;
    const left = this.index({ terms: index.terms.filter(isLeft), constant: Math.max(0, index.constant) });
    const negative = {
      terms: index.terms.filter((term) => !isLeft(term)),
      constant: Math.min(0, index.constant),
    };
    const right = this.index(scaleIndex(negative, -1));
    return compareIntegers(left.value, '==', right.value);
  }

  // ----------------------------------------------------------------------------------------------------- integers

  /** An index expression as an integer. */
  index(index: IndexExpression): At<IntegerExpression> {
    const parts = index.terms.map(({ coefficient, atom }) => {
      const inner = this.atom(atom);
      return { value: product(inner.value, integer(coefficient)), depth: inner.depth };
    });
    const depth = Math.max(0, ...parts.map((part) => part.depth));
    return { value: sum(...parts.map((part) => part.value), integer(index.constant)), depth };
  }

  private atom(atom: IndexAtom): At<IntegerExpression> {
    switch (atom.kind) {
      case 'index': {
        const loop = this.loops.get(atom.name);
        if (!loop) throw new Error(`the index '${atom.name}' is used outside its loop`);
        return { value: variable(loop.value), depth: loop.depth };
      }
      case 'fetch': {
        const place = this.place(atom.tensor, flatten(this.tensor(atom.tensor).axes, atom.at));
        const buffer = this.scope.buffer(atom.tensor, 'read');
        const value: IntegerExpression = { kind: 'load_integer', buffer, offset: place.value };
        return { value: this.bindInteger(value, place.depth, atom.tensor), depth: place.depth };
      }
      case 'quotient': {
        const of = this.index(atom.of);
        return { value: floorDivide(of.value, atom.by), depth: of.depth };
      }
      case 'remainder': {
        const of = this.index(atom.of);
        return { value: modulo(of.value, atom.by), depth: of.depth };
      }
    }
  }

  /** A place in a buffer; what is known further out becomes the place where a row begins: `x_at_n`. */
  place(tensor: string, flat: Flat): At<IntegerExpression> {
    const constants: IntegerExpression[] = [];
    const terms: At<IntegerExpression>[] = [];
    for (const { factor, atom } of flat) {
      const scale = [
        ...factor.symbols.map((symbol) => this.scope.extent(symbol)),
        integer(factor.coefficient),
      ].reduce(product);
      if (!atom) constants.push(scale);
      // The outer ones of loops that were made one have no loop of their own.
      else if (atom.kind !== 'index' || this.loops.has(atom.name)) {
        const inner = this.atom(atom);
        terms.push({ value: product(inner.value, scale), depth: inner.depth });
      }
    }
    const depth = Math.max(0, ...terms.map((term) => term.depth));
    let begin: IntegerExpression = integer(0);
    for (let level = 0; level < depth; level++) {
      const here = terms.filter((term) => term.depth === level).map((term) => term.value);
      if (here.length > 0) begin = this.bindInteger(sum(begin, ...here), level, `${tensor}_at`);
    }
    const here = terms.filter((term) => term.depth === depth).map((term) => term.value);
    return { value: sum(begin, ...here, ...constants), depth };
  }

  /** A name for an integer that is not one already, at the depth where it is known. */
  bindInteger(value: IntegerExpression, depth: number, hint: string): IntegerExpression {
    if (isTrivialInteger(value)) return value;
    const key = `${depth}:${integerKey(value)}`;
    const known = this.integers.get(key);
    if (known) return known.value;
    const loops = [...this.loops.values()].filter((loop) => mentions(value, loop.value));
    const suffix = [...this.loops.values()].find((loop) => loop.depth === depth)?.value;
    const where =
      loops.length > 0 ? `_${loops.map((loop) => loop.value).join('')}` : suffix ? `_${suffix}` : '';
    const name = this.scope.declare(`${hint}${where}`);
    this.at(depth).push({ kind: 'integer_constant', name, value });
    const bound = { value: variable(name), depth };
    this.integers.set(key, bound);
    return bound.value;
  }

  // -------------------------------------------------------------------------------------------------------- names

  private hint(node: Expression): string {
    if (node.kind === 'read') {
      const loops = node.at.map((index) => isPlainIndex(index));
      const plain = loops.filter((name) => name !== undefined && this.loops.has(name));
      return (
        [node.tensor, plain.join('')].filter((part) => part !== '').join(plain.length > 0 ? '_' : '') +
        (plain.length === 0 ? '_value' : '')
      );
    }
    if (node.kind === 'unary' || node.kind === 'binary') return valueNames[node.operator] ?? node.operator;
    return node.kind === 'select' ? 'chosen' : 'value';
  }

  isInteger(tensor: string): boolean {
    return this.tensor(tensor).element === 'integer';
  }

  private tensor(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`the tensor '${name}' is not declared`);
    return tensor;
  }
}

function truth(condition: At<Condition>): At<Value> {
  return { value: { kind: 'truth', condition: condition.value }, depth: condition.depth };
}

function compareIntegers(left: IntegerExpression, operator: Comparison, right: IntegerExpression): Condition {
  return { kind: 'compare_integer', operator, left, right };
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

function mentions(expression: IntegerExpression, name: string): boolean {
  switch (expression.kind) {
    case 'variable':
      return expression.name === name;
    case 'sum':
      return expression.terms.some((term) => mentions(term, name));
    case 'product':
    case 'minimum':
    case 'maximum':
      return mentions(expression.left, name) || mentions(expression.right, name);
    case 'floor_divide':
    case 'modulo':
      return mentions(expression.of, name);
    case 'load_integer':
      return mentions(expression.offset, name);
    case 'integer':
      return false;
  }
}
