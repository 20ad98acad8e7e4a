/**
 * Finding a rule's left side in an expression. Sums and products are matched as a whole, in any order of their terms and
 * factors: at the root of a rule some may be left over (they stay), further inside a last hole takes all that is left.
 */
import {
  children,
  foldExpression,
  isConstant,
  negate,
  postorder,
  withChildren,
} from '../graph/expressions.ts';
import type { Interner } from '../graph/expressions.ts';
import type { Expression, IndexExpression, Read, Statement } from '../graph/types.ts';
import type { HoleKind, Pattern, Rule } from './patterns.ts';
import { instantiate } from './instantiation.ts';
import { factorsOf, isNegative, opposite, quotientOf, sumOf, termsOf } from './terms.ts';
import type { Quotient, Term } from './terms.ts';

/** The read of a tensor that a statement combines from `statement.body`. */
export interface Reduction {
  readonly statement: Statement;
  readonly at: readonly IndexExpression[];
}

export interface Bindings {
  readonly holes: ReadonlyMap<string, Expression>;
  /** What a `sum(...)` of the pattern stood for: its body is written in that statement's indices. */
  readonly reduction?: Reduction;
}

export interface Surroundings {
  readonly interner: Interner;
  fits(kind: HoleKind, expression: Expression): boolean;
  /** What the tensor of a read is defined as, at that place; undefined if it is not elementwise. */
  definition?(read: Read): Expression | undefined;
  /** The sum that a read gives, looked at through copies. */
  sum?(read: Read): Reduction | undefined;
  /** A new reduction over the indices of `like`, with another body: for `logsumexp(...)` right of the arrow. */
  reduce?(combine: 'sum' | 'logsumexp', body: Expression, like: Reduction): Expression;
}

const nothing: Bindings = { holes: new Map() };

/** Applies the first rule that fits the node itself; undefined if none does. */
function applyFirst(node: Expression, rules: readonly Rule[], around: Surroundings): Expression | undefined {
  for (const rule of rules) {
    const result = apply(node, rule, around);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Rewrites bottom-up until no rule fits (or, for rules that would never end, a bound is met). */
export function rewriteAll(root: Expression, rules: readonly Rule[], around: Surroundings): Expression {
  const byHead = new Map<string, Rule[]>();
  for (const rule of rules) {
    const head = headOf(rule.from);
    byHead.set(head, [...(byHead.get(head) ?? []), rule]);
  }
  let current = root;
  for (let round = 0; round < 12; round++) {
    const inner = innerParts(current);
    const next = foldExpression<Expression>(current, (original, operands) => {
      const node = withChildren(original, operands);
      if (inner.has(original)) return node;
      return applyFirst(node, byHead.get(headOfExpression(node)) ?? [], around) ?? node;
    });
    if (next === current) return current;
    current = next;
  }
  return current;
}

/** Sums inside sums and products inside products: they are matched with the whole that they are a part of. */
function innerParts(root: Expression): Set<Expression> {
  const inner = new Set<Expression>();
  const others = new Set<Expression>([root]);
  for (const node of postorder(root)) {
    const head = headOfExpression(node);
    const isWhole = head === 'add' || head === 'multiply';
    for (const child of children(node)) {
      if (isWhole && headOfExpression(child) === head) inner.add(child);
      else others.add(child);
    }
  }
  for (const node of others) inner.delete(node);
  return inner;
}

/** Rules are looked up by what stands at their root; sums and products count as one head each, whatever the sign. */
function headOf(pattern: Pattern): string {
  if (pattern.kind === 'unary' || pattern.kind === 'binary') return headOfOperator(pattern.operator);
  return pattern.kind;
}

function headOfExpression(node: Expression): string {
  return node.kind === 'unary' || node.kind === 'binary' ? headOfOperator(node.operator) : node.kind;
}

function headOfOperator(operator: string): string {
  if (operator === 'subtract') return 'add';
  return operator === 'divide' ? 'multiply' : operator;
}

function apply(node: Expression, rule: Rule, around: Surroundings): Expression | undefined {
  const { from, to } = rule;
  if (isSum(from)) {
    const terms = termsOf(node);
    for (const flip of [1, -1] as const) {
      for (const found of matchTerms(patternTerms(from), terms, flip, nothing, around)) {
        const made = instantiate(to, found.bindings, around);
        return sumOf(putBack(terms, found.rest, { sign: flip, of: made }));
      }
    }
    return undefined;
  }
  if (isProduct(from)) {
    const quotient = factorsOf(node);
    const wanted = patternFactors(from);
    for (const found of matchFactors(wanted, quotient, nothing, around)) {
      const made = instantiate(to, found.bindings, around);
      const above = found.rest.numerator;
      const numerator = above.length === 0 ? [made] : putBack(quotient.numerator, above, made);
      const sign = quotient.sign === wanted.sign ? 1 : -1;
      return quotientOf({ sign, numerator, denominator: found.rest.denominator });
    }
    return undefined;
  }
  for (const bindings of match(from, node, nothing, around)) return instantiate(to, bindings, around);
  return undefined;
}

/** The list without what a rule used up; what it made stands where the first used one stood. */
function putBack<T>(before: readonly T[], rest: readonly T[], made: T): T[] {
  let ahead = 0;
  while (ahead < rest.length && rest[ahead] === before[ahead]) ahead++;
  return [...rest.slice(0, ahead), made, ...rest.slice(ahead)];
}

// ------------------------------------------------------------------------------------------------------------ matching

export function* match(
  pattern: Pattern,
  node: Expression,
  bindings: Bindings,
  around: Surroundings,
): Generator<Bindings> {
  if (pattern.kind === 'hole') {
    const bound = bind(pattern.name, pattern.fits, node, bindings, around);
    if (bound) yield bound;
    return;
  }
  if (pattern.kind === 'reduction') {
    const reduction = node.kind === 'read' ? around.sum?.(node) : undefined;
    if (reduction === undefined) return;
    for (const found of match(pattern.body, reduction.statement.body, bindings, around))
      yield { ...found, reduction };
    return;
  }
  if (node.kind === 'read') {
    const definition = around.definition?.(node);
    if (definition !== undefined) yield* match(pattern, definition, bindings, around);
    return;
  }
  switch (pattern.kind) {
    case 'number':
      if (isConstant(node, pattern.value)) yield bindings;
      return;
    case 'unary':
      if (pattern.operator === 'negate') yield* matchNegated(pattern.operand, node, bindings, around);
      else if (node.kind === 'unary' && node.operator === pattern.operator)
        yield* match(pattern.operand, node.operand, bindings, around);
      return;
    case 'select':
      if (node.kind === 'select')
        yield* matchAll(
          [pattern.condition, pattern.then, pattern.otherwise],
          [node.condition, node.then, node.otherwise],
          bindings,
          around,
        );
      return;
    case 'binary':
      yield* matchBinary(pattern, node, bindings, around);
  }
}

function* matchBinary(
  pattern: Pattern & { kind: 'binary' },
  node: Expression,
  bindings: Bindings,
  around: Surroundings,
): Generator<Bindings> {
  if (isSum(pattern)) {
    for (const found of matchTerms(patternTerms(pattern), termsOf(node), 1, bindings, around))
      if (found.rest.length === 0) yield found.bindings;
  } else if (isProduct(pattern)) {
    const quotient = factorsOf(node);
    const wanted = patternFactors(pattern);
    for (const { rest, bindings: found } of matchFactors(wanted, quotient, bindings, around))
      if (rest.numerator.length + rest.denominator.length === 0 && quotient.sign === wanted.sign) yield found;
  } else if (node.kind === 'binary' && node.operator === pattern.operator) {
    yield* matchAll([pattern.left, pattern.right], [node.left, node.right], bindings, around);
    if (commutes.has(node.operator))
      yield* matchAll([pattern.left, pattern.right], [node.right, node.left], bindings, around);
  }
}

const commutes: ReadonlySet<string> = new Set(['max', 'min', 'equal', 'not_equal', 'and', 'or']);

function* matchAll(
  patterns: readonly Pattern[],
  nodes: readonly Expression[],
  bindings: Bindings,
  around: Surroundings,
): Generator<Bindings> {
  const [pattern, ...patternsLeft] = patterns;
  const [node, ...nodesLeft] = nodes;
  if (pattern === undefined || node === undefined) {
    yield bindings;
    return;
  }
  for (const found of match(pattern, node, bindings, around))
    yield* matchAll(patternsLeft, nodesLeft, found, around);
}

/** -P: what has a minus to take off; a hole that is bound already may be the opposite of anything. */
function* matchNegated(
  operand: Pattern,
  node: Expression,
  bindings: Bindings,
  around: Surroundings,
): Generator<Bindings> {
  const isBound = operand.kind === 'hole' && bindings.holes.has(operand.name);
  if (isBound || isNegative(node)) yield* match(operand, opposite(node), bindings, around);
}

function bind(
  name: string,
  fits: HoleKind,
  node: Expression,
  bindings: Bindings,
  around: Surroundings,
): Bindings | undefined {
  const bound = bindings.holes.get(name);
  if (bound !== undefined) return isEqual(bound, node, around) ? bindings : undefined;
  if (fits !== 'any' && !around.fits(fits, node)) return undefined;
  return { ...bindings, holes: new Map([...bindings.holes, [name, node]]) };
}

/** The same expression, up to signs and to names for the same definition. */
function isEqual(left: Expression, right: Expression, around: Surroundings): boolean {
  const id = (node: Expression): number => around.interner.idOf(withSignsOut(node));
  if (id(left) === id(right)) return true;
  const defined = (node: Expression): Expression =>
    (node.kind === 'read' ? around.definition?.(node) : undefined) ?? node;
  return id(defined(left)) === id(defined(right));
}

function withSignsOut(node: Expression): Expression {
  return isNegative(node) ? negate(opposite(node)) : node;
}

interface PatternTerm {
  readonly sign: 1 | -1;
  readonly of: Pattern;
}

const isSum = (pattern: Pattern): boolean =>
  pattern.kind === 'binary' && (pattern.operator === 'add' || pattern.operator === 'subtract');
const isProduct = (pattern: Pattern): boolean =>
  pattern.kind === 'binary' && (pattern.operator === 'multiply' || pattern.operator === 'divide');

function patternTerms(pattern: Pattern, sign: 1 | -1 = 1): PatternTerm[] {
  const flipped = sign === 1 ? -1 : 1;
  if (pattern.kind === 'unary' && pattern.operator === 'negate')
    return patternTerms(pattern.operand, flipped);
  if (pattern.kind !== 'binary' || !isSum(pattern)) return [{ sign, of: pattern }];
  const right = pattern.operator === 'add' ? sign : flipped;
  return [...patternTerms(pattern.left, sign), ...patternTerms(pattern.right, right)];
}

/** Finds the wanted terms among the given ones; a hole that comes last takes everything that is left, with its sign. */
function* matchTerms(
  wanted: readonly PatternTerm[],
  given: readonly Term[],
  flip: 1 | -1,
  bindings: Bindings,
  around: Surroundings,
): Generator<{ bindings: Bindings; rest: readonly Term[] }> {
  const [first, ...others] = wanted;
  if (first === undefined) {
    yield { bindings, rest: given };
    return;
  }
  if (given.length < wanted.length) return;
  if (first.of.kind === 'hole' && others.length === 0) {
    const all = sumOf(given);
    const value = first.sign === flip ? all : opposite(all);
    for (const found of match(first.of, value, bindings, around)) yield { bindings: found, rest: [] };
    return;
  }
  for (const term of given) {
    const same = term.sign === first.sign * flip;
    if (!same && first.of.kind !== 'hole') continue;
    const value = same ? term.of : negate(term.of);
    for (const found of match(first.of, value, bindings, around))
      yield* matchTerms(
        others,
        given.filter((other) => other !== term),
        flip,
        found,
        around,
      );
  }
}

interface PatternQuotient {
  readonly sign: 1 | -1;
  readonly numerator: readonly Pattern[];
  readonly denominator: readonly Pattern[];
}

function patternFactors(pattern: Pattern): PatternQuotient {
  if (pattern.kind === 'number' && pattern.value === 1) return { sign: 1, numerator: [], denominator: [] };
  if (pattern.kind === 'unary' && pattern.operator === 'negate') {
    const inner = patternFactors(pattern.operand);
    return { ...inner, sign: inner.sign === 1 ? -1 : 1 };
  }
  if (pattern.kind !== 'binary' || !isProduct(pattern))
    return { sign: 1, numerator: [pattern], denominator: [] };
  const left = patternFactors(pattern.left);
  const right = patternFactors(pattern.right);
  const above = pattern.operator === 'multiply';
  return {
    sign: left.sign === right.sign ? 1 : -1,
    numerator: [...left.numerator, ...(above ? right.numerator : right.denominator)],
    denominator: [...left.denominator, ...(above ? right.denominator : right.numerator)],
  };
}

/** The same for factors. A last hole of the numerator takes all that is left, also below the line. */
function* matchFactors(
  wanted: PatternQuotient,
  given: Quotient,
  bindings: Bindings,
  around: Surroundings,
): Generator<{ bindings: Bindings; rest: Quotient }> {
  const { numerator, denominator } = wanted;
  for (const below of matchList(denominator, given.denominator, numerator.length === 0, bindings, around)) {
    const last = numerator.at(-1);
    if (last?.kind !== 'hole') {
      for (const above of matchList(numerator, given.numerator, false, below.bindings, around))
        yield {
          bindings: above.bindings,
          rest: { sign: 1, numerator: above.rest, denominator: below.rest },
        };
      continue;
    }
    for (const above of matchList(numerator.slice(0, -1), given.numerator, false, below.bindings, around)) {
      if (above.rest.length + below.rest.length === 0) continue;
      const all = quotientOf({ sign: 1, numerator: above.rest, denominator: below.rest });
      for (const found of match(last, all, above.bindings, around))
        yield { bindings: found, rest: { sign: 1, numerator: [], denominator: [] } };
    }
  }
}

/** `takesAll`: a single hole, wanted last, may take several factors at once. */
function* matchList(
  wanted: readonly Pattern[],
  given: readonly Expression[],
  takesAll: boolean,
  bindings: Bindings,
  around: Surroundings,
): Generator<{ bindings: Bindings; rest: readonly Expression[] }> {
  const [first, ...others] = wanted;
  if (first === undefined) {
    yield { bindings, rest: given };
    return;
  }
  if (takesAll && first.kind === 'hole' && others.length === 0 && given.length > 1) {
    const all = quotientOf({ sign: 1, numerator: given, denominator: [] });
    for (const found of match(first, all, bindings, around)) yield { bindings: found, rest: [] };
  }
  for (const [place, factor] of given.entries()) {
    for (const found of match(first, factor, bindings, around))
      yield* matchList(others, given.toSpliced(place, 1), takesAll, found, around);
  }
}
