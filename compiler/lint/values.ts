/** The ranges of all tensors of a program, and of any part of a formula, where it stands. */
import { Interner, isPlainIndex, isScatter } from '../graph/expressions.ts';
import { valueOfCall } from '../graph/own-functions.ts';
import type {
  Binary,
  BinaryOperator,
  Expression,
  Extent,
  IndexExpression,
  Program,
  Read,
  Statement,
  Tensor,
} from '../graph/types.ts';
import {
  anything,
  between,
  binaryRanges,
  closed,
  evenPower,
  exactly,
  intersection,
  multiplied,
  notNegative,
  open,
  truth,
  unaryRanges,
  union,
} from './ranges.ts';
import type { Bound, Range } from './ranges.ts';

/** What is known of parts of a formula where a choice has been made: the range of each by the number of its structure. */
type Known = ReadonlyMap<number, Range>;

const nothingKnown: Known = new Map();

/** Choices inside of choices are followed this far. */
const MOST_CHOICES = 4;

export class Values {
  private readonly ranges = new Map<string, Range>();
  private readonly interner = new Interner();
  private readonly statements: ReadonlyMap<string, Statement>;

  constructor(program: Program) {
    this.statements = new Map(program.statements.map((statement) => [statement.target, statement]));
    for (const tensor of program.tensors.values())
      if (tensor.role !== 'intermediate') this.ranges.set(tensor.name, rangeOfGiven(tensor));
    // what a recurrence reads of steps to come in this list is not known yet, so it may be anything
    for (const statement of program.statements)
      this.ranges.set(statement.target, this.ofStatement(statement));
  }

  ofTensor(name: string): Range {
    return this.ranges.get(name) ?? anything;
  }

  /** A part of a formula. `choices`: the conditions that hold where it counts, and whether they are met. */
  ofPart(part: Expression, choices: readonly Choice[]): Range {
    let known: Known = nothingKnown;
    for (const { condition, isMet } of choices.slice(0, MOST_CHOICES))
      known = this.learn(condition, isMet, known);
    return this.of(part, known, anything, choices.length);
  }

  private ofStatement(statement: Statement): Range {
    const { indices, write, combine, body, finish } = statement;
    // where a scatter writes nothing there is a neutral element
    if (isScatter(statement)) return anything;
    if (this.isSoftmax(statement)) return { least: open(0), greatest: closed(1) };
    const each = this.of(body, nothingKnown, anything, 0);
    const reduced = indices.slice(write.length).map(({ extent }) => extent);
    const joined = {
      assign: each,
      max: each,
      min: each,
      sum: multiplied(each, countOf(reduced)),
      product: productOf(each),
      logsumexp: anything,
      argmax: anything,
      argmin: anything,
    }[combine];
    return finish === undefined ? joined : this.of(finish, nothingKnown, joined, 0);
  }

  /** exp(z[n, k] - logsumexp[k](z[n, k])): a probability. */
  private isSoftmax({ combine, body }: Statement): boolean {
    return combine === 'assign' && softmaxOf(body, this.statements) !== undefined;
  }

  private of(root: Expression, known: Known, joined: Range, depth: number): Range {
    const found = new Map<Expression, Range>();
    const visit = (node: Expression): Range => {
      const before = found.get(node);
      if (before !== undefined) return before;
      const plain = of(node);
      const learnt = known.size === 0 ? undefined : known.get(this.interner.idOf(node));
      const range = learnt === undefined ? plain : intersection(plain, learnt);
      found.set(node, range);
      return range;
    };
    const of = (node: Expression): Range => {
      switch (node.kind) {
        case 'constant':
          return exactly(node.value);
        case 'read':
          return this.ofRead(node);
        case 'unary':
          return unaryRanges[node.operator](visit(node.operand));
        case 'binary':
          return this.isSquare(node)
            ? evenPower(visit(node.left), 2)
            : binaryRanges[node.operator](visit(node.left), visit(node.right));
        case 'select':
          if (depth >= MOST_CHOICES) return union(visit(node.then), visit(node.otherwise));
          return union(
            this.of(node.then, this.learn(node.condition, true, known), joined, depth + 1),
            this.of(node.otherwise, this.learn(node.condition, false, known), joined, depth + 1),
          );
        case 'extent_value':
          return { least: closed(1), greatest: open(Infinity) };
        case 'accumulated':
          return joined;
        case 'index_value':
          return indexRange(node.index);
        case 'call':
          return visit(valueOfCall(node));
        case 'derivative':
          return anything;
      }
    };
    return visit(root);
  }

  private isSquare({ operator, left, right }: Binary): boolean {
    return operator === 'multiply' && this.interner.idOf(left) === this.interner.idOf(right);
  }

  private ofRead({ tensor, outside }: Read): Range {
    const inside = this.ofTensor(tensor);
    return outside === undefined ? inside : union(inside, exactly(outside));
  }

  /** What a condition that is met, or is not, says of the two sides of its comparison. */
  private learn(condition: Expression, isMet: boolean, known: Known): Known {
    if (condition.kind === 'unary' && condition.operator === 'not')
      return this.learn(condition.operand, !isMet, known);
    if (condition.kind !== 'binary') return known;
    const { operator, left, right } = condition;
    if ((operator === 'and' && isMet) || (operator === 'or' && !isMet))
      return this.learn(right, isMet, this.learn(left, isMet, known));
    const said = comparisons[operator];
    if (said === undefined) return known;
    const relation = isMet ? said : opposite[said];
    const learnt = new Map(known);
    const note = (side: Expression, is: Relation, other: Expression): void => {
      const range = limited(is, this.of(other, nothingKnown, anything, MOST_CHOICES));
      const id = this.interner.idOf(side);
      if (range !== undefined) learnt.set(id, intersection(learnt.get(id) ?? anything, range));
    };
    note(left, relation, right);
    note(right, mirrored[relation], left);
    return learnt;
  }
}

/** A choice that a part of a formula lies behind. */
export interface Choice {
  readonly condition: Expression;
  readonly isMet: boolean;
}

/** The scores of exp(z[n, k] - logsumexp[k](z[n, k])). */
export function softmaxOf(
  body: Expression,
  statements: ReadonlyMap<string, Statement>,
): { readonly scores: Read; readonly sum: Statement } | undefined {
  if (body.kind !== 'unary' || body.operator !== 'exp' || body.operand.kind !== 'binary') return undefined;
  const { operator, left, right } = body.operand;
  if (operator !== 'subtract' || left.kind !== 'read' || right.kind !== 'read') return undefined;
  const sum = statements.get(right.tensor);
  if (sum?.combine !== 'logsumexp' || sum.body.kind !== 'read') return undefined;
  return sum.body.tensor === left.tensor ? { scores: left, sum } : undefined;
}

type Relation = 'below' | 'at most' | 'above' | 'at least' | 'equal' | 'unequal';

const comparisons: Readonly<Partial<Record<BinaryOperator, Relation>>> = {
  less: 'below',
  less_equal: 'at most',
  greater: 'above',
  greater_equal: 'at least',
  equal: 'equal',
  not_equal: 'unequal',
};
const opposite: Readonly<Record<Relation, Relation>> = {
  below: 'at least',
  'at most': 'above',
  above: 'at most',
  'at least': 'below',
  equal: 'unequal',
  unequal: 'equal',
};
const mirrored: Readonly<Record<Relation, Relation>> = {
  below: 'above',
  'at most': 'at least',
  above: 'below',
  'at least': 'at most',
  equal: 'equal',
  unequal: 'unequal',
};

/** What is in this relation to something of a range. */
function limited(relation: Relation, { least, greatest }: Range): Range | undefined {
  const strict = (end: Bound): Bound => ({ ...end, open: true });
  switch (relation) {
    case 'below':
      return { least: anything.least, greatest: strict(greatest) };
    case 'at most':
      return { least: anything.least, greatest };
    case 'above':
      return { least: strict(least), greatest: anything.greatest };
    case 'at least':
      return { least, greatest: anything.greatest };
    case 'equal':
      return { least, greatest };
    case 'unequal':
      return undefined;
  }
}

function rangeOfGiven({ role, range, distribution }: Tensor): Range {
  if (role === 'input' && range !== undefined) return between(range.least, range.greatest);
  if (distribution?.kind === 'bernoulli') return truth;
  if (distribution?.kind === 'uniform') return between(distribution.low, distribution.high);
  return anything;
}

const countOf = (extents: readonly Extent[]): Range =>
  extents
    .map((extent) =>
      typeof extent === 'number' ? exactly(extent) : { least: closed(1), greatest: open(Infinity) },
    )
    .reduce(multiplied, exactly(1));

function productOf(each: Range): Range {
  if (each.least.value < 0) return anything;
  const least = { value: each.least.value >= 1 ? 1 : 0, open: each.least.value > 0 || each.least.open };
  if (each.greatest.value <= 1) return { least, greatest: closed(1) };
  return { ...notNegative, least };
}

/** An index as a number: from 0 on where it stands alone and with factors that are not negative. */
function indexRange(index: IndexExpression): Range {
  if (isPlainIndex(index) !== undefined) return notNegative;
  const isRising = index.terms.every(({ coefficient, atom }) => coefficient >= 0 && atom.kind !== 'fetch');
  return isRising ? { least: closed(index.constant), greatest: open(Infinity) } : anything;
}
