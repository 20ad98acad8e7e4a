/**
 * Σ_k (x[k] - m) = 0 for m = mean[k](x). In exact arithmetic; by machine the sum is rounding noise, and a pass over the data
 * to compute it. With this law the gradients of layer norm and batch norm have the three terms of the papers: the mean
 * that stands in the variance carries no gradient (Ba, Kiros & Hinton 2016; Ioffe & Szegedy 2015).
 *
 * Only in the backward pass: a user who writes such a sum wants to see the noise. Nothing that is inf or NaN gets lost: if
 * an x is, so is m, and where the sum is a cotangent of m, that of every x beside it is made of x - m.
 */
import {
  accumulated,
  equalExpressions,
  foldExpression,
  indexNames,
  indexOf,
  isConstant,
  isScatter,
  add,
  negate,
  reducedIndices,
  subtract,
  substituteIndices,
  withChildren,
  zero,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, LoopIndex, Read, Statement } from '../graph/types.ts';
import { isElementwise, isInvariant, placesOf, valueOf } from './definitions.ts';
import type { Definitions } from './definitions.ts';
import type { SumLaw } from './sums.ts';
import { factorsOf, productOf, quotientOf, sumOf, termsOf } from './terms.ts';
import type { Quotient } from './terms.ts';

/** The statement without those terms of its sum that are sums of distances from their mean; undefined if there are none. */
export const withoutCentred: SumLaw = (statement, _, definitions) => {
  const isSum = statement.combine === 'sum' && statement.phase === 'backward' && !isScatter(statement);
  if (!isSum || reducedIndices(statement).length === 0) return undefined;
  const search = new Search(statement, definitions);
  if (search.isCentred(statement.body)) return vanished(statement);
  const terms = termsOf(statement.body);
  const kept = terms.filter(({ of }) => !search.isCentred(of));
  if (kept.length === terms.length) return undefined;
  return kept.length === 0 ? vanished(statement) : { ...statement, body: sumOf(kept) };
};

/** A sum that is 0. What it is multiplied by in the finish goes with it. */
function vanished(statement: Statement): Statement {
  const { finish = accumulated, ...rest } = statement;
  const isZero = (node: Expression | undefined): boolean => node !== undefined && isConstant(node, 0);
  const body = foldExpression<Expression>(finish, (original, operands) => {
    if (original.kind === 'accumulated') return zero;
    const node = withChildren(original, operands);
    if (node.kind === 'unary' && node.operator === 'negate') return negate(node.operand);
    if (node.kind !== 'binary') return node;
    const { operator, left, right } = node;
    if (operator === 'add') return add(left, right);
    if (operator === 'subtract') return subtract(left, right);
    if (operator === 'multiply' && (isZero(left) || isZero(right))) return zero;
    return operator === 'divide' && isZero(left) ? zero : node;
  });
  return { ...rest, indices: statement.indices.slice(0, statement.write.length), combine: 'assign', body };
}

/** The mean of `element`, which is written in the indices of `statement`, read at `at`. */
interface Mean {
  readonly statement: Statement;
  readonly element: Expression;
  readonly at: readonly IndexExpression[];
}

class Search {
  private readonly statement: Statement;
  private readonly definitions: Definitions;

  constructor(statement: Statement, definitions: Definitions) {
    this.statement = statement;
    this.definitions = definitions;
  }

  /** True for c · (x - mean(x)) and c · (mean(x) - x), where no reduced index moves c. */
  isCentred(node: Expression): boolean {
    const { numerator, denominator } = factorsOf(node);
    if (!denominator.every((factor) => isInvariant(factor, this.statement))) return false;
    const [only, ...others] = numerator.filter((factor) => !isInvariant(factor, this.statement));
    if (only === undefined || others.length > 0) return false;
    const definition = only.kind === 'read' ? this.definitions.of(only) : undefined;
    if (definition !== undefined) return this.isCentred(definition);
    const [left, right, ...more] = termsOf(only);
    if (left === undefined || right === undefined || more.length > 0 || left.sign === right.sign)
      return false;
    return this.isMeanOf(left.of, right.of) || this.isMeanOf(right.of, left.of);
  }

  private isMeanOf(node: Expression, element: Expression): boolean {
    const mean = node.kind === 'read' ? this.meanAt(node) : undefined;
    if (mean === undefined) return false;
    const fixed = new Set(mean.at.flatMap((index) => [...indexNames(index)]));
    const free = reducedIndices(this.statement).filter(({ name }) => !fixed.has(name));
    const own = reducedIndices(mean.statement);
    const places = placesOf(mean.statement, mean.at);
    return pairings(own, free).some((pairs) => {
      const names = new Map([...places, ...pairs]);
      return equalExpressions(substituteIndices(mean.element, names), element);
    });
  }

  /** Follows a read through what only scales to the sum that it is a multiple of; that is a mean if it is 1/N times it. */
  private meanAt(start: Read): Mean | undefined {
    let scale: Quotient = { sign: 1, numerator: [], denominator: [] };
    let node = start;
    for (;;) {
      const statement = this.definitions.statement(node.tensor);
      if (statement === undefined || node.outside !== undefined || isScatter(statement)) return undefined;
      if (isElementwise(statement)) {
        const value = factorsOf(substituteIndices(valueOf(statement), placesOf(statement, node.at)));
        const inner = value.numerator.find((factor) => factor.kind === 'read');
        if (inner?.kind !== 'read') return undefined;
        scale = product(scale, without(value, inner));
        node = inner;
        continue;
      }
      if (statement.combine !== 'sum') return undefined;
      const finish = factorsOf(statement.finish ?? accumulated);
      const sum = finish.numerator.find(({ kind }) => kind === 'accumulated');
      if (sum === undefined) return undefined;
      const body = factorsOf(statement.body);
      const sizes = (factors: readonly Expression[]): Expression[] => factors.filter(isNumber);
      const rest = (factors: readonly Expression[]): Expression[] =>
        factors.filter((factor) => !isNumber(factor));
      scale = product(product(scale, without(finish, sum)), {
        sign: body.sign,
        numerator: sizes(body.numerator),
        denominator: sizes(body.denominator),
      });
      if (!isOneOver(reducedIndices(statement), scale)) return undefined;
      const element = quotientOf({
        sign: 1,
        numerator: rest(body.numerator),
        denominator: rest(body.denominator),
      });
      return { statement, element, at: node.at };
    }
  }
}

/** Every way to call each of the indices by another of the names, of the same extent. */
function pairings(own: readonly LoopIndex[], free: readonly LoopIndex[]): [string, IndexExpression][][] {
  const [first, ...others] = own;
  if (first === undefined) return [[]];
  return free
    .filter(({ extent }) => extent === first.extent)
    .flatMap((choice) =>
      pairings(
        others,
        free.filter((index) => index !== choice),
      ).map((rest): [string, IndexExpression][] => [[first.name, indexOf(choice.name)], ...rest]),
    );
}

function product(left: Quotient, right: Quotient): Quotient {
  return {
    sign: left.sign === right.sign ? 1 : -1,
    numerator: [...left.numerator, ...right.numerator],
    denominator: [...left.denominator, ...right.denominator],
  };
}

function without(quotient: Quotient, factor: Expression): Quotient {
  return { ...quotient, numerator: quotient.numerator.filter((other) => other !== factor) };
}

const isNumber = ({ kind }: Expression): boolean => kind === 'constant' || kind === 'extent_value';

/** True if the scale is one over the number of points that the indices run over. */
function isOneOver(indices: readonly LoopIndex[], { sign, numerator, denominator }: Quotient): boolean {
  const above = factorsOf(productOf(numerator));
  const below = factorsOf(productOf(denominator));
  if (sign !== 1 || above.numerator.length + above.denominator.length + below.denominator.length > 0)
    return false;
  let size = 1;
  const open: string[] = [];
  for (const factor of below.numerator) {
    if (factor.kind === 'constant') size *= factor.value;
    else if (factor.kind === 'extent_value') open.push(factor.extent);
    else return false;
  }
  for (const { extent } of indices) {
    if (typeof extent === 'number') size /= extent;
    else if (open.includes(extent)) open.splice(open.indexOf(extent), 1);
    else return false;
  }
  return size === 1 && open.length === 0;
}
