/** Integers inside one nest of loops: which loops are open, where reads and writes fall, and what is declared at which depth. */
import { scaleIndex } from '../graph/expressions.ts';
import type { Extent, IndexAtom, IndexExpression, Tensor } from '../graph/types.ts';
import { flatten } from './access.ts';
import type { Flat } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
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
import type { Condition, IntegerExpression, LoopStatement } from './types.ts';
import { indexWord } from './value-names.ts';

/** A value, and the depth from which on it is known (0: before the first loop). */
export interface At<T> {
  readonly value: T;
  readonly depth: number;
}

export type Comparison = Extract<Condition, { kind: 'compare' }>['operator'];

export class Places {
  readonly scope: FunctionScope;
  protected readonly tensors: ReadonlyMap<string, Tensor>;
  protected readonly extents: ReadonlyMap<string, Extent>;
  /** Loop index -> the variable and depth of its loop. */
  protected readonly loops = new Map<string, At<string>>();
  /** What is declared at each depth, before anything deeper. */
  private readonly levels: LoopStatement[][] = [[]];
  private integers = new Map<string, At<IntegerExpression>>();

  constructor(
    scope: FunctionScope,
    tensors: ReadonlyMap<string, Tensor>,
    extents: ReadonlyMap<string, Extent>,
  ) {
    this.scope = scope;
    this.tensors = tensors;
    this.extents = extents;
    for (const [index, value] of scope.around) this.loops.set(index, { value, depth: 0 });
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
    this.forget(depth);
    return body;
  }

  /** What `emit` adds, at any depth, is a part of the statement of this target. */
  inStatement(target: string, emit: () => void): void {
    const before = this.levels.map((level) => level.length);
    emit();
    for (const [depth, level] of this.levels.entries()) {
      const from = before[depth] ?? 0;
      level.splice(from, level.length, ...level.slice(from).map((each) => partOf(target, each)));
    }
  }

  protected at(depth: number): LoopStatement[] {
    const level = this.levels[depth];
    if (!level) throw new Error(`no loop of depth ${depth} is open`);
    return level;
  }

  /** Values known at this depth or deeper are out of scope. */
  protected forget(depth: number): void {
    this.integers = new Map([...this.integers].filter(([, known]) => known.depth < depth));
  }

  /** Emits what becomes a block of its own: constants declared in it are unknown after it. */
  inBlock(emit: () => void): void {
    const before = this.integers;
    this.integers = new Map(before);
    emit();
    this.integers = before;
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
    return left.value.kind === 'integer'
      ? compareIntegers(right.value, '==', left.value)
      : compareIntegers(left.value, '==', right.value);
  }

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
        const place = this.place(atom.tensor, flatten(this.tensor(atom.tensor), atom.at));
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
      loops.length > 0 ? `_${indexWord(loops.map((loop) => loop.value))}` : suffix ? `_${suffix}` : '';
    const name = this.scope.declare(`${hint}${where}`);
    this.at(depth).push({ kind: 'integer_constant', name, value });
    const bound = { value: variable(name), depth };
    this.integers.set(key, bound);
    return bound.value;
  }

  /** Knows the constants outside of the loops of what stands before, in the same block. */
  goOnAfter(earlier: Places): void {
    for (const [key, known] of earlier.integers) if (known.depth === 0) this.integers.set(key, known);
  }

  isInteger(tensor: string): boolean {
    return this.tensor(tensor).element === 'integer';
  }

  protected tensor(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`the tensor '${name}' is not declared`);
    return tensor;
  }
}

/** The loop statement as a part of a statement, with all in it that is not yet of another. */
export function partOf(target: string, statement: LoopStatement): LoopStatement {
  const part = { target, ...statement };
  const inside = (body: readonly LoopStatement[]): LoopStatement[] =>
    body.map((each) => partOf(target, each));
  if (part.kind === 'for') return { ...part, body: inside(part.body) };
  if (part.kind === 'if') return { ...part, then: inside(part.then), otherwise: inside(part.otherwise) };
  return part;
}

export function compareIntegers(
  left: IntegerExpression,
  operator: Comparison,
  right: IntegerExpression,
): Condition {
  return { kind: 'compare_integer', operator, left, right };
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
