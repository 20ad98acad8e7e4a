/**
 * Algebra on the bodies of statements. Scalar rules, constant folding, simpler places (places.ts), collection of like terms
 * (polynomial.ts), and laws of sums: what no reduced index moves comes out of them.
 *
 * What keeps it honest:
 * - nothing that may be inf or NaN vanishes: 0 · x is 0 and x - x is 0 only where x is provably finite;
 * - a constant is folded only if the result is finite;
 * - a collected form is taken only if it costs less. Where products of sums had to be multiplied out for it, which may
 *   cancel digits, it must save at least two operations and stand in the backward pass: (1 - x)(1 + x) stays,
 *   y(1 - a) - (1 - y)a becomes y - a. A forward formula is never multiplied out.
 */
import { withStatements } from '../graph/builder.ts';
import {
  children,
  constant,
  differentiatedBy,
  equalExpressions,
  evaluateBinary,
  evaluateUnary,
  extentsOf,
  foldExpression,
  freeIndices,
  indexBounds,
  Interner,
  isConstant,
  isScatter,
  postorder,
  subtractIndex,
  withChildren,
} from '../graph/expressions.ts';
import type { Binary, Expression, Extent, Program, Statement, Tensor } from '../graph/types.ts';
import { editedTensors } from '../graph/results.ts';
import { costOf } from './cost.ts';
import { Definitions, fitsHole, isElementwise, isFinite, isTruth } from './definitions.ts';
import { rewriteAll } from './matching.ts';
import type { Surroundings } from './matching.ts';
import { withoutCentred } from './means.ts';
import { ruleTable } from './patterns.ts';
import { simplerPlaces } from './places.ts';
import { collect } from './polynomial.ts';
import { indexOfNumber, sumLaws, takeOut } from './sums.ts';
import { factorsOf, quotientOf, sumOf, termsOf } from './terms.ts';

export const simplerForms = ruleTable([
  'u ^ 0 => 1',
  'u ^ 1 => u',
  '(-u) ^ 2 => u ^ 2',
  'norm_sqrt(q) ^ 2 => q',
  'sqrt(p) ^ 2 => p',
  'norm_sqrt(u ^ 2) => abs(u)', //          also in their derivatives: sign(0) = 0
  'abs(-u) => abs(u)',
  'abs(abs(u)) => abs(u)',
  'cos(-u) => cos(u)',
  'cosh(-u) => cosh(u)',
  'sin(-u) => -sin(u)',
  'sinh(-u) => -sinh(u)',
  'tan(-u) => -tan(u)',
  'tanh(-u) => -tanh(u)',
  'erf(-u) => -erf(u)',
  'sign(-u) => -sign(u)',
  'relu(relu(u)) => relu(u)',
  'relu(t) => t',
  'max(u, u) => u', //                      two halves of the gradient are the whole
  'min(u, u) => u',
  'max(u, 0) => relu(u)', //                both have derivative 0 at 0
  'and(t, 1) => t',
  'and(t, 0) => 0',
  'or(t, 0) => t',
  'or(t, 1) => 1',
  'not(not(t)) => t',
  't == 1 => t',
  't == 0 => not(t)',
  's ? u : u => u',
  's ? (s ? u : v) : w => s ? u : w',
  's ? u : (s ? v : w) => s ? u : w',
  't ? 1 : 0 => t',
  't ? 0 : 1 => not(t)',
  'not(t) ? u : v => t ? v : u',
  // the slopes of log(e^u + e^v) in its stable form: 1 - σ(v - u) = σ(u - v)
  'u > v ? 1 - sigmoid(v - u) : sigmoid(u - v) => sigmoid(u - v)',
  'u > v ? sigmoid(v - u) : 1 - sigmoid(u - v) => sigmoid(v - u)',
  'u > v ? w - sigmoid(v - u) * w : sigmoid(u - v) * w => sigmoid(u - v) * w',
  'u > v ? sigmoid(v - u) * w : w - sigmoid(u - v) * w => sigmoid(v - u) * w',
  '(s ? u : 0) + (s ? v : 0) => s ? u + v : 0',
  '(s ? u : 0) - (s ? v : 0) => s ? u - v : 0',
]);

/**
 * Of cotangents, element by element: the 0 of a choice is no number there but the absence of a contribution, so that it stays 0
 * beside whatever it is multiplied with. Padding that a mask keeps out of the loss may hold NaN. In a reduction the factors
 * stay outside, where they can leave the sum or be operands of a product.
 */
export const cotangentForms = ruleTable([
  '(s ? u : 0) * x + (s ? v : 0) * y => s ? u * x + v * y : 0',
  '(s ? u : 0) * x - (s ? v : 0) * y => s ? u * x - v * y : 0',
  '(s ? u : 0) * x + (s ? v : 0) => s ? u * x + v : 0',
  '(s ? u : 0) * x - (s ? v : 0) => s ? u * x - v : 0',
  '(s ? u : 0) - (s ? v : 0) * x => s ? u - v * x : 0',
  '(s ? (r ? u : 0) : 0) + (r ? v : 0) => r ? (s ? u : 0) + v : 0',
  '(s ? (r ? u : 0) : 0) + (r ? v : 0) * x => r ? (s ? u : 0) + v * x : 0',
  '(s ? u : 0) / k => s ? u / k : 0',
  '(s ? u : 0) * k => s ? u * k : 0',
]);

const mostRounds = 6;

/**
 * Statements that were found as simple as they get, with what that depends on: the pass runs many times over a program of
 * which little has changed.
 */
const simplest = new WeakMap<Statement, Settled>();

interface Settled {
  readonly takesOut: boolean;
  readonly looked: ReadonlyMap<string, Statement | undefined>;
}

/** Every body and finish in a simpler form of the same value. */
export function simplify(program: Program): Program {
  const byTarget = new Map(program.statements.map((statement) => [statement.target, statement]));
  const opaque = new Set([...differentiatedBy(program.statements), ...editedTensors(program)]);
  const definitions = new Definitions(byTarget, opaque);
  const takesOut = program.gradients.size > 0;
  const statements = program.statements.map((statement) => {
    if (statement.body.kind === 'derivative') return statement;
    const settled = simplest.get(statement);
    if (settled?.takesOut === takesOut && definitions.agreesWith(settled.looked)) return statement;
    const looked = definitions.watch();
    // What cancels in a cotangent is a difference that the user did not write; a forward formula was written on purpose.
    const isCotangent =
      statement.phase === 'backward' ||
      statement.origin.history.some((made) => made.startsWith('adjoint of'));
    const algebra = new Algebra(program.tensors, extentsOf(statement.indices), definitions, isCotangent);
    let current = simplifyParts(simplerPlaces(statement, program.tensors), algebra);
    for (const law of takesOut ? [...sumLaws, withoutCentred, takeOut] : sumLaws) {
      let next = isScatter(current) ? undefined : law(current, program.tensors, definitions);
      while (next !== undefined) {
        current = simplifyParts(next, algebra);
        next = law(current, program.tensors, definitions);
      }
    }
    if (current === statement) simplest.set(statement, { takesOut, looked });
    return current;
  });
  const changed = statements.some((statement, place) => statement !== program.statements[place]);
  return changed ? withStatements(program, statements) : program;
}

function simplifyParts(statement: Statement, algebra: Algebra): Statement {
  const body = algebra.simplify(statement.body, isElementwise(statement));
  const finish = statement.finish && algebra.simplify(statement.finish, true);
  if (body === statement.body && finish === statement.finish) return statement;
  const { finish: _, ...rest } = statement;
  const needed = finish !== undefined && finish.kind !== 'accumulated';
  return { ...rest, body, ...(needed ? { finish } : {}) };
}

// ------------------------------------------------------------------------------------------------------- scalar algebra

/** Simplifies one expression at a place where `extents` says how far the indices run. */
export class Algebra {
  private readonly tensors: ReadonlyMap<string, Tensor>;
  private readonly extents: ReadonlyMap<string, Extent>;
  private readonly around: Surroundings;
  private readonly joining: Surroundings;
  private readonly isCotangent: boolean;

  constructor(
    tensors: ReadonlyMap<string, Tensor>,
    extents: ReadonlyMap<string, Extent>,
    definitions: Definitions,
    isCotangent: boolean,
  ) {
    this.isCotangent = isCotangent;
    this.tensors = tensors;
    this.extents = extents;
    this.around = {
      interner: new Interner(),
      fits: (kind, node) => fitsHole(kind, node, tensors, definitions),
    };
    this.joining = {
      ...this.around,
      definition: (node) => {
        const definition = definitions.of(node);
        return definition !== undefined && isUniformChoice(definition) ? definition : undefined;
      },
    };
  }

  /** The very same object if nothing becomes simpler. `elementwise`: no part of a reduction. */
  simplify(root: Expression, elementwise = false): Expression {
    let current = root;
    for (let round = 0; round < mostRounds; round++) {
      const ruled = rewriteAll(this.fold(current), simplerForms, this.around);
      const joins = this.isCotangent && elementwise;
      const joined = joins ? rewriteAll(ruled, cotangentForms, this.joining) : ruled;
      const next = this.collectAll(joined);
      if (next === current || equalExpressions(next, current)) return current;
      current = next;
    }
    return current;
  }

  /** Constants, comparisons of indices, and choices that are decided by them. */
  private fold(root: Expression): Expression {
    return foldExpression<Expression>(root, (original, operands) => {
      const node = withChildren(original, operands);
      if (node.kind === 'unary' && node.operand.kind === 'constant' && node.operator !== 'negate')
        return folded(evaluateUnary[node.operator](node.operand.value)) ?? node;
      if (node.kind === 'unary' && node.operator === 'negate' && node.operand.kind === 'constant')
        return node.operand.name === undefined ? constant(-node.operand.value) : node;
      if (node.kind === 'select' && node.condition.kind === 'constant')
        return node.condition.value !== 0 ? node.then : node.otherwise;
      if (node.kind !== 'binary') return node;
      const { left, right, operator } = node;
      if (left.kind === 'constant' && right.kind === 'constant')
        return folded(evaluateBinary[operator](left.value, right.value)) ?? node;
      return this.decided(node) ?? node;
    });
  }

  /** A comparison of index values whose difference is known to have one sign. */
  private decided(node: Binary): Expression | undefined {
    const left = indexOfNumber(node.left, this.tensors);
    const right = indexOfNumber(node.right, this.tensors);
    if (left === undefined || right === undefined) return undefined;
    const bounds = indexBounds(subtractIndex(left, right), this.extents, this.tensors);
    if (bounds === undefined) return undefined;
    const { least, greatest } = bounds;
    switch (node.operator) {
      case 'equal':
        return truth(least === 0 && greatest === 0, least > 0 || greatest < 0);
      case 'not_equal':
        return truth(least > 0 || greatest < 0, least === 0 && greatest === 0);
      case 'less':
        return truth(greatest < 0, least >= 0);
      case 'less_equal':
        return truth(greatest <= 0, least > 0);
      case 'greater':
        return truth(least > 0, greatest <= 0);
      case 'greater_equal':
        return truth(least >= 0, greatest < 0);
      default:
        return undefined;
    }
  }

  /** Collects like terms in every sum and product that is not itself a part of one. */
  private collectAll(root: Expression): Expression {
    const starts = new Set<Expression>([root]);
    for (const node of postorder(root)) {
      for (const child of children(node))
        if (!isSumOrProduct(node) || (isSumLike(child) && !isSumLike(node))) starts.add(child);
    }
    return foldExpression<Expression>(root, (original, operands) => {
      const node = withChildren(original, operands);
      return starts.has(original) && isSumOrProduct(node) ? this.cheapest(node) : node;
    });
  }

  private cheapest(node: Expression): Expression {
    const options = {
      isFinite: (atom: Expression) => isFinite(atom, this.tensors),
      isTruth,
    };
    let best = node;
    let cost = costOf(node);
    const candidates: { made: Expression | undefined; saves: number }[] = [
      { made: tidied(node), saves: isAllNegative(node) ? 0 : 1 },
      { made: collect(node, { ...options, expand: false }), saves: 1 },
      { made: this.isCotangent ? collect(node, { ...options, expand: true }) : undefined, saves: 2 },
    ];
    for (const { made, saves } of candidates) {
      if (made === undefined) continue;
      const madeCost = costOf(made);
      if (madeCost > cost - saves) continue;
      best = made;
      cost = madeCost;
    }
    return best;
  }
}

/** c ? a : 0 for an a that is the same everywhere, and a c that costs no more than a load. */
function isUniformChoice(node: Expression): boolean {
  return node.kind === 'select' && freeIndices(node.then).size === 0 && costOf(node.condition) <= 1;
}

/** 1 if it is so, 0 if it is not so, undefined if nobody knows. */
function truth(yes: boolean, no: boolean): Expression | undefined {
  return yes ? constant(1) : no ? constant(0) : undefined;
}

function folded(value: number): Expression | undefined {
  return Number.isFinite(value) ? constant(value) : undefined;
}

/** Signs pulled out of products and joined in sums: a - (-b) is a + b, (-a) * b is -(a * b). */
function tidied(node: Expression): Expression {
  const terms = termsOf(node).map(({ sign, of }) => {
    const quotient = factorsOf(of);
    const own: 1 | -1 = quotient.sign === sign ? 1 : -1;
    const negated = quotient.sign === -1;
    return { sign: own, of: negated ? quotientOf({ ...quotient, sign: 1 }) : of };
  });
  return sumOf(terms.filter(({ of }) => !isConstant(of, 0) || terms.length === 1));
}

/** -a - b, which is better -(a + b): then the minus can leave a sum. */
function isAllNegative(node: Expression): boolean {
  const terms = termsOf(node);
  return terms.length > 1 && terms.every(({ sign, of }) => (factorsOf(of).sign === 1) === (sign === -1));
}

function isSumLike(node: Expression): boolean {
  if (node.kind === 'unary') return node.operator === 'negate';
  return node.kind === 'binary' && (node.operator === 'add' || node.operator === 'subtract');
}

function isSumOrProduct(node: Expression): boolean {
  if (isSumLike(node)) return true;
  return node.kind === 'binary' && ['multiply', 'divide', 'power'].includes(node.operator);
}
