/**
 * Collection of like terms: an expression as a polynomial, Σ coefficient · Π atom^power, over whatever is not a sum, a
 * product or a small power; terms that are alike join, common factors come out.
 *
 * When this is sound: rounding aside, the collected form has the same value where all atoms are finite. So that it has
 * also the same inf or NaN, it is only taken if every atom is still in it that is not provably finite: `x - x` and
 * `0 * x` stay, `a*b + c - a*b*c/c` too. When it is wise: see simplify.ts, which compares costs.
 */
import { constant, divide, Interner, power, postorder } from '../graph/expressions.ts';
import type { Expression } from '../graph/types.ts';
import { factorsOf, opposite, productOf, quotientOf, sumOf } from './terms.ts';
import type { Term } from './terms.ts';

/** A power of an atom, above or below the line. Only sizes cancel: x / x is not 1 where x is 0. */
interface Factor {
  readonly atom: Expression;
  readonly power: number;
  readonly below: boolean;
}

interface Monomial {
  /** Above and below the line, so that x / 3 stays x / 3. */
  readonly numerator: number;
  readonly denominator: number;
  /** By the number of the atom and its side. */
  readonly factors: ReadonlyMap<string, Factor>;
}

type Polynomial = readonly Monomial[];

export interface CollectOptions {
  /** Multiply sums out. */
  readonly expand: boolean;
  readonly isFinite: (node: Expression) => boolean;
  readonly isTruth: (node: Expression) => boolean;
}

const mostMonomials = 64;
const mostNodes = 400;

/** The collected form; undefined if it is too large or would hide an infinity. */
export function collect(root: Expression, options: CollectOptions): Expression | undefined {
  if (postorder(root).length > mostNodes) return undefined;
  const collector = new Collector(options);
  const polynomial = collector.polynomial(root);
  if (polynomial === undefined || collector.hides(polynomial)) return undefined;
  return render(polynomial);
}

class Collector {
  private readonly options: CollectOptions;
  private readonly interner = new Interner();
  /** Every factor met, by its key. */
  private readonly met = new Map<string, Factor>();
  private readonly done = new Map<Expression, Polynomial>();
  /** The nodes that were not looked into. */
  private readonly atoms = new Set<Expression>();

  constructor(options: CollectOptions) {
    this.options = options;
  }

  /** True if an atom has vanished that might be inf or NaN. */
  hides(polynomial: Polynomial): boolean {
    const kept = new Set(polynomial.flatMap(({ factors }) => [...factors.keys()]));
    return [...this.met].some(
      ([key, { atom, below }]) =>
        !kept.has(key) && !(this.options.isFinite(atom) && (!below || atom.kind === 'extent_value')),
    );
  }

  polynomial(root: Expression): Polynomial | undefined {
    for (const node of postorder(root)) {
      const polynomial = this.of(node) ?? this.atom(node);
      if (polynomial.length > mostMonomials) return undefined;
      this.done.set(node, polynomial);
    }
    const result = this.done.get(root) ?? [];
    // An atom inside another atom was met on the way but is no atom of the whole.
    this.met.clear();
    this.meet(root);
    return result;
  }

  /** Which atoms the polynomial of `root` was made of. */
  private meet(root: Expression): void {
    const above = new Set<Expression>();
    const under = new Set<Expression>();
    const stack: { node: Expression; below: boolean }[] = [{ node: root, below: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { node, below } = top;
      const seen = below ? under : above;
      if (seen.has(node)) continue;
      seen.add(node);
      const parts = this.partsOf(node);
      if (parts === undefined) {
        if (node.kind !== 'constant' || !isPlainNumber(node)) {
          const key = this.keyOf(node, below);
          this.met.set(key, { atom: node, power: 1, below });
        }
        continue;
      }
      for (const part of parts) stack.push({ node: part.node, below: below !== part.below });
    }
  }

  /** The operands that the polynomial of a node is made from; undefined for an atom. */
  private partsOf(node: Expression): { node: Expression; below: boolean }[] | undefined {
    if (node.kind === 'constant' && isPlainNumber(node)) return [];
    if (this.atoms.has(node)) return undefined;
    const flipped = this.flippedSigmoid(node);
    if (flipped !== undefined) return [{ node: flipped, below: false }];
    if (node.kind === 'unary') return [{ node: node.operand, below: false }];
    if (node.kind === 'select')
      return [node.condition, node.then].map((part) => ({ node: part, below: false }));
    if (node.kind !== 'binary') return undefined;
    if (node.operator === 'power') return [{ node: node.left, below: false }];
    return [
      { node: node.left, below: false },
      { node: node.right, below: node.operator === 'divide' },
    ];
  }

  private of(node: Expression): Polynomial | undefined {
    const at = (part: Expression): Polynomial => this.done.get(part) ?? [];
    if (node.kind === 'constant' && isPlainNumber(node))
      return node.value === 0 ? [] : [{ numerator: node.value, denominator: 1, factors: new Map() }];
    const flipped = this.flippedSigmoid(node);
    if (flipped !== undefined) {
      const unit: Monomial = { numerator: 1, denominator: 1, factors: new Map() };
      return sum([unit], scale(this.atom(flipped), -1));
    }
    if (node.kind === 'unary' && node.operator === 'negate') return scale(at(node.operand), -1);
    if (node.kind === 'select') {
      const chosen = this.options.expand && node.otherwise.kind === 'constant' && node.otherwise.value === 0;
      if (!chosen || !this.options.isTruth(node.condition) || !this.options.isFinite(node.then))
        return undefined;
      return this.product(at(node.condition), at(node.then));
    }
    if (node.kind !== 'binary') return undefined;
    const { left, right } = node;
    switch (node.operator) {
      case 'add':
        return sum(at(left), at(right));
      case 'subtract':
        return sum(at(left), scale(at(right), -1));
      case 'multiply':
        return this.product(this.whole(left), this.whole(right));
      case 'divide':
        return this.quotient(this.whole(left), right);
      case 'power': {
        const exponent = right.kind === 'constant' ? right.value : NaN;
        const base = this.whole(left);
        if (!(exponent === 2 || exponent === 3) || base.length === 0) return undefined;
        const square = this.product(base, base);
        return exponent === 2 ? square : this.product(square, base);
      }
      default:
        return undefined;
    }
  }

  /** σ(-u) = 1 - σ(u): worth it only where it lets terms cancel, so only when everything is multiplied out. */
  private flippedSigmoid(node: Expression): Expression | undefined {
    if (!this.options.expand || node.kind !== 'unary' || node.operator !== 'sigmoid') return undefined;
    const { operand } = node;
    const negative =
      operand.kind === 'unary' ? operand.operator === 'negate' : factorsOf(operand).sign === -1;
    return negative ? this.representative({ ...node, operand: opposite(operand) }) : undefined;
  }

  private representative(node: Expression): Expression {
    const known = this.interner.representative(node);
    this.atoms.add(known);
    return known;
  }

  /** A factor of a product: a sum of several terms stays whole unless everything is multiplied out. */
  private whole(node: Expression): Polynomial {
    const polynomial = this.done.get(node) ?? [];
    return polynomial.length <= 1 || this.options.expand ? polynomial : this.atom(node);
  }

  private atom(node: Expression): Polynomial {
    this.atoms.add(node);
    return [
      {
        numerator: 1,
        denominator: 1,
        factors: new Map([[this.keyOf(node, false), { atom: node, power: 1, below: false }]]),
      },
    ];
  }

  private keyOf(atom: Expression, below: boolean): string {
    return `${this.interner.idOf(atom)}${below ? ' below' : ''}`;
  }

  private product(left: Polynomial, right: Polynomial): Polynomial {
    if (left.length * right.length > 4 * mostMonomials) return Array(mostMonomials + 1).fill(left[0]);
    const products = left.flatMap((a) => right.map((b) => this.times(a, b)));
    return sum(products, []);
  }

  private times(left: Monomial, right: Monomial): Monomial {
    const factors = new Map(left.factors);
    for (const [key, factor] of right.factors) {
      const other = this.keyOf(factor.atom, !factor.below);
      const against = factor.atom.kind === 'extent_value' ? factors.get(other) : undefined;
      if (against !== undefined) {
        factors.delete(other);
        const rest = against.power - factor.power;
        if (rest > 0) factors.set(other, { ...against, power: rest });
        if (rest < 0) factors.set(key, { ...factor, power: -rest });
        continue;
      }
      const power = (factors.get(key)?.power ?? 0) + factor.power;
      factors.set(key, { ...factor, power: this.options.isTruth(factor.atom) ? 1 : power });
    }
    return ratio(left.numerator * right.numerator, left.denominator * right.denominator, factors);
  }

  private quotient(left: Polynomial, right: Expression): Polynomial {
    const divisor = this.done.get(right) ?? [];
    const [only] = divisor.length === 1 ? divisor : this.atom(right);
    if (only === undefined || divisor.length === 0) return this.product(left, this.below(right));
    const inverted = new Map<string, Factor>();
    for (const { atom, power, below } of only.factors.values())
      inverted.set(this.keyOf(atom, !below), { atom, power, below: !below });
    // A factor that was below the line would come up and hide its pole.
    if ([...only.factors.values()].some(({ below, atom }) => below && atom.kind !== 'extent_value'))
      return this.product(left, this.below(right));
    const inverse = ratio(only.denominator, only.numerator, inverted);
    return left.map((monomial) => this.times(monomial, inverse));
  }

  private below(node: Expression): Polynomial {
    this.atoms.add(node);
    const factor: Factor = { atom: node, power: 1, below: true };
    return [{ numerator: 1, denominator: 1, factors: new Map([[this.keyOf(node, true), factor]]) }];
  }
}

function isPlainNumber(node: Expression): boolean {
  if (node.kind !== 'constant' || !Number.isFinite(node.value)) return false;
  return node.name === undefined || !Number.isNaN(Number(node.name));
}

// --------------------------------------------------------------------------------------------------------- arithmetic

function monomialKey({ factors }: Monomial): string {
  return [...factors]
    .map(([key, { power }]) => `${key}^${power}`)
    .toSorted()
    .join(' ');
}

/** Whole quotients are taken out: 2 / 4 is 1 / 2, 6 / 3 is 2; a negative sign is kept above. */
function ratio(numerator: number, denominator: number, factors: ReadonlyMap<string, Factor>): Monomial {
  const sign = denominator < 0 ? -1 : 1;
  const above = sign * numerator;
  const below = sign * denominator;
  if (!Number.isInteger(above) || Number.isInteger(above / below))
    return { numerator: above / below, denominator: 1, factors };
  if (Number.isInteger(above) && Number.isInteger(below / above))
    return { numerator: Math.sign(above), denominator: Math.abs(below / above), factors };
  return { numerator: above, denominator: below, factors };
}

function scale(polynomial: Polynomial, by: number): Polynomial {
  return polynomial.map((monomial) => ({ ...monomial, numerator: monomial.numerator * by }));
}

function sum(left: Polynomial, right: Polynomial): Polynomial {
  const result = new Map<string, Monomial>();
  for (const monomial of [...left, ...right]) {
    const key = monomialKey(monomial);
    const known = result.get(key);
    const joined = known === undefined ? monomial : plus(known, monomial);
    if (joined.numerator === 0) result.delete(key);
    else result.set(key, joined);
  }
  return [...result.values()];
}

function plus(left: Monomial, right: Monomial): Monomial {
  const { numerator: a, denominator: b, factors } = left;
  const { numerator: c, denominator: d } = right;
  return b === d ? ratio(a + c, b, factors) : ratio(a * d + c * b, b * d, factors);
}

// ----------------------------------------------------------------------------------------------------------- rendering

/** Common factors first, then the factor that most terms share, and so on: a*x + b*x + c is (a + b)*x + c. */
function render(polynomial: Polynomial): Expression {
  const [first, ...others] = polynomial;
  if (first === undefined) return constant(0);
  if (others.length === 0) return signed(termOf(first));
  const common = commonPart(polynomial);
  if (!isUnit(common)) {
    const rest = polynomial.map((monomial) => without(monomial, common));
    return signed(termOf(common, render(rest)));
  }
  return sumOf(termsOfSum(polynomial));
}

function termsOfSum(polynomial: Polynomial): Term[] {
  const shared = mostShared(polynomial);
  if (shared === undefined) return polynomial.map((monomial) => termOf(monomial));
  const group = polynomial.filter(({ factors }) => factors.has(shared.key));
  const rest = polynomial.filter(({ factors }) => !factors.has(shared.key));
  const common = commonPart(group);
  const inner = render(group.map((monomial) => without(monomial, common)));
  const ahead = polynomial.findIndex(({ factors }) => factors.has(shared.key));
  const others = rest.length === 0 ? [] : termsOfSum(rest);
  return others.toSpliced(Math.min(ahead, others.length), 0, termOf(common, inner));
}

/** The factor that stands in most terms, if in more than one. */
function mostShared(polynomial: Polynomial): { readonly key: string } | undefined {
  const counts = new Map<string, number>();
  for (const { factors } of polynomial)
    for (const key of factors.keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
  let best: { key: string; count: number } | undefined;
  for (const [key, count] of counts) if (count > (best?.count ?? 1)) best = { key, count };
  return best;
}

/** What divides every term: shared factors, a shared denominator, a shared size of all numbers, a shared minus. */
function commonPart(polynomial: Polynomial): Monomial {
  const [first, ...others] = polynomial;
  if (first === undefined) return { numerator: 1, denominator: 1, factors: new Map() };
  const factors = new Map<string, Factor>();
  for (const [key, factor] of first.factors) {
    const least = Math.min(factor.power, ...others.map((other) => other.factors.get(key)?.power ?? 0));
    if (least > 0) factors.set(key, { ...factor, power: least });
  }
  const same = others.every(({ numerator }) => Math.abs(numerator) === Math.abs(first.numerator));
  const negative = polynomial.every(({ numerator }) => numerator < 0);
  return {
    numerator: (same ? Math.abs(first.numerator) : 1) * (negative ? -1 : 1),
    denominator: others.every(({ denominator }) => denominator === first.denominator) ? first.denominator : 1,
    factors,
  };
}

function isUnit({ numerator, denominator, factors }: Monomial): boolean {
  return numerator === 1 && denominator === 1 && factors.size === 0;
}

function without(monomial: Monomial, common: Monomial): Monomial {
  const factors = new Map(monomial.factors);
  for (const [key, { power }] of common.factors) {
    const factor = factors.get(key);
    if (factor === undefined || factor.power === power) factors.delete(key);
    else factors.set(key, { ...factor, power: factor.power - power });
  }
  return {
    numerator: monomial.numerator / common.numerator,
    denominator: monomial.denominator / common.denominator,
    factors,
  };
}

/** A monomial, times what stands in brackets beside it, as a signed term. */
function termOf(monomial: Monomial, beside?: Expression): Term {
  const { numerator, denominator } = monomial;
  const side = (below: boolean): Expression[] =>
    [...monomial.factors.values()]
      .filter((factor) => factor.below === below)
      .map(({ atom, power: exponent }) => (exponent === 1 ? atom : power(atom, constant(exponent))));
  const amount = Math.abs(numerator);
  const leading = amount === 1 ? [] : [constant(amount)];
  const above = productOf([...leading, ...side(false), ...(beside === undefined ? [] : [beside])]);
  const below = [...(denominator === 1 ? [] : [constant(denominator)]), ...side(true)];
  const of = below.length === 0 ? above : divide(above, productOf(below));
  return { sign: numerator < 0 ? -1 : 1, of };
}

function signed({ sign, of }: Term): Expression {
  return sign === 1 ? of : quotientOf({ ...factorsOf(of), sign: -1 });
}
