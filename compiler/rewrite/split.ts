/**
 * Contractions of two: a sum over a product of more factors becomes pairwise sums in the cheapest order; what no reduced
 * index moves is multiplied after the sum; an operand that is computed (an exp, a quotient) gets a statement of its own
 * instead of being computed again at every point of the product.
 *
 * The cheapest order is searched among all (as in the matrix chain problem), run-time extents counting 64.
 */
import { withStatements } from '../graph/builder.ts';
import {
  add,
  equalExpressions,
  evaluateUnary,
  evaluateBinary,
  freeIndices,
  freshName,
  indexKey,
  indexNames,
  indexOf,
  isConstant,
  isScatter,
  negate,
  postorder,
  read,
  reads,
  reducedIndices,
  mapExpression,
  subtract,
  withoutPrimes,
} from '../graph/expressions.ts';
import type { Expression, LoopIndex, Program, Read, Statement, Tensor } from '../graph/types.ts';
import { isContraction } from './contraction.ts';
import { isInvariant, ownPlace } from './definitions.ts';
import { volumeOf } from './inline.ts';
import { countUnused } from './sums.ts';
import { factorsOf, productOf, quotientOf, termsOf } from './terms.ts';

/** More factors than this keep the order in which they stand: the number of orders grows too fast. */
const mostFactors = 6;

export function splitContractions(program: Program): Program {
  const splitter = new Splitter(program);
  const statements = program.statements.flatMap((statement) => splitter.split(statement));
  const changed = statements.some((statement, place) => statement !== program.statements[place]);
  return changed ? withStatements(program, statements, splitter.added) : program;
}

class Splitter {
  readonly added = new Map<string, Tensor>();
  private readonly program: Program;
  private readonly names: Set<string>;

  constructor(program: Program) {
    this.program = program;
    this.names = new Set(program.tensors.keys());
  }

  /** The statement, behind those that it needs now. */
  split(given: Statement): Statement[] {
    if (given.combine !== 'sum' || isScatter(given)) return [given];
    const statement = this.counted(given);
    if (statement.combine !== 'sum') return [statement];
    const terms = termsOf(statement.body);
    if (terms.length > 1 && terms.some(({ of }) => isContraction({ ...statement, body: of })))
      return this.splitTerms(statement, terms);
    if (!isContraction(statement)) return [statement];
    const outer = this.takeOut(statement);
    if (outer !== undefined) return outer;
    return this.splitFactors(statement);
  }

  /** A term may lack a reduced index that others of its sum have: Σ_v a = n a. */
  private counted(statement: Statement): Statement {
    const next = countUnused(statement);
    return next === undefined ? statement : this.counted(next);
  }

  /** Σ (a b + c d) = Σ a b + Σ c d: each a contraction of its own. */
  private splitTerms(statement: Statement, terms: ReturnType<typeof termsOf>): Statement[] {
    const made: Statement[] = [];
    let sum: Expression | undefined;
    for (const { sign, of } of terms) {
      const target = this.declare(`${statement.target}_term`, written(statement), statement);
      const { finish: _, ...rest } = statement;
      made.push(...this.split({ ...rest, target, body: of }));
      const part = read(target, ownPlace(statement));
      if (sum === undefined) sum = sign === 1 ? part : negate(part);
      else sum = sign === 1 ? add(sum, part) : subtract(sum, part);
    }
    return [...made, this.afterwards(statement, sum ?? statement.body)];
  }

  /** Σ c a b = c Σ a b. */
  private takeOut(statement: Statement): Statement[] | undefined {
    const { sign, numerator, denominator } = factorsOf(statement.body);
    const moves = (factor: Expression): boolean => isInvariant(factor, statement);
    const outside = numerator.filter(moves);
    const below = denominator.filter(moves);
    if (sign === 1 && outside.length + below.length === 0) return undefined;
    const inner = quotientOf({
      sign: 1,
      numerator: numerator.filter((factor) => !moves(factor)),
      denominator: denominator.filter((factor) => !moves(factor)),
    });
    const target = this.declare(`${statement.target}_sum`, written(statement), statement);
    const { finish: _, ...rest } = statement;
    const sum = this.split({ ...rest, target, body: inner });
    const scaled = quotientOf({
      sign,
      numerator: [...outside, read(target, ownPlace(statement))],
      denominator: below,
    });
    return [...sum, this.afterwards(statement, scaled)];
  }

  /** An assignment in place of the sum, with its finish around the value. */
  private afterwards(statement: Statement, value: Expression): Statement {
    const { finish, ...rest } = statement;
    const body = finish
      ? mapExpression(finish, (node) => (node.kind === 'accumulated' ? value : node))
      : value;
    return { ...rest, indices: written(statement), combine: 'assign', body };
  }

  private splitFactors(statement: Statement): Statement[] {
    const { sign, numerator, denominator } = factorsOf(statement.body);
    // Division by something that varies is a factor of its own: the operand is 1/b.
    const below = denominator.map((factor) => quotientOf({ sign: 1, numerator: [], denominator: [factor] }));
    const factors = groupAlike([...numerator, ...below]);
    const made: Statement[] = [];
    const plan = cheapestPlan(factors.map(freeIndices), statement);
    const operands = new Map<number, Expression>(factors.entries());
    for (const { left, right, result, sums } of plan) {
      const pair = [operands.get(left), operands.get(right)].filter((part) => part !== undefined);
      operands.set(result, this.intermediate(statement, pair, sums, made));
    }
    const used = new Set(plan.flatMap(({ left, right }) => [left, right]));
    const last = [...operands].filter(([place]) => !used.has(place)).map(([, operand]) => operand);
    const ordered = inOrderOfAxes(this.stored(statement, last, made), statement);
    const body = quotientOf({ sign, numerator: ordered, denominator: [] });
    if (made.length === 0 && equalExpressions(body, statement.body)) return [statement];
    return [...made, { ...statement, indices: order(statement, body), body }];
  }

  /** A tensor for the product of two operands, summed over `sums`. */
  private intermediate(
    statement: Statement,
    pair: readonly Expression[],
    sums: ReadonlySet<string>,
    made: Statement[],
  ): Expression {
    const body = productOf(sums.size === 0 ? pair : this.storedIfContracted(statement, pair, sums, made));
    // In the order in which the operands have them: B[j, k] C[k, l] is over j, l.
    const free = [...freeIndices(body)].flatMap(
      (name) => statement.indices.find((index) => index.name === name) ?? [],
    );
    const kept = free.filter(({ name }) => !sums.has(name));
    const over = free.filter(({ name }) => sums.has(name));
    const target = this.declare(`${statement.target}_factor`, kept, statement);
    const { finish: _, ...rest } = statement;
    made.push({
      ...rest,
      target,
      indices: [...kept, ...over],
      write: kept.map(({ name }) => indexOf(name)),
      combine: over.length === 0 ? 'assign' : 'sum',
      body,
    });
    return read(
      target,
      kept.map(({ name }) => indexOf(name)),
    );
  }

  private storedIfContracted(
    statement: Statement,
    pair: readonly Expression[],
    sums: ReadonlySet<string>,
    made: Statement[],
  ): Expression[] {
    const free = new Set(pair.flatMap((part) => [...freeIndices(part)]));
    const kept = statement.indices.filter(({ name }) => free.has(name) && !sums.has(name));
    const over = statement.indices.filter(({ name }) => free.has(name) && sums.has(name));
    const { finish: _, ...rest } = statement;
    const partial: Statement = {
      ...rest,
      indices: [...kept, ...over],
      write: kept.map(({ name }) => indexOf(name)),
      body: productOf(pair),
    };
    return isContraction(partial) ? this.stored(partial, pair, made) : [...pair];
  }

  /** Operands that are computed become tensors. Truth values too: an inner product reads numbers. */
  private stored(statement: Statement, factors: readonly Expression[], made: Statement[]): Expression[] {
    const contraction = isContraction({ ...statement, body: productOf(factors) });
    return factors.map((factor) => {
      const repeats = statement.indices.length > freeIndices(factor).size;
      if (!contraction || !repeats || factor.kind === 'read' || freeIndices(factor).size === 0) return factor;
      return (
        this.overSource(statement, factor, made) ?? this.intermediate(statement, [factor], new Set(), made)
      );
    });
  }

  /** f(x[n, i + u]), where all reads are at one place, is stored over the axes of x: once per element, not per window. */
  private overSource(statement: Statement, factor: Expression, made: Statement[]): Expression | undefined {
    const all = reads(factor);
    const [first] = all;
    const isFunction = postorder(factor).every(({ kind }) => kind !== 'index_value');
    if (first === undefined || !isFunction) return undefined;
    const source = this.program.tensors.get(first.tensor) ?? this.added.get(first.tensor);
    const plain = first.at.every((index) => index.terms.length === 1 && index.constant === 0);
    if (source === undefined || (plain && first.outside === undefined)) return undefined;
    if (!all.every((node) => this.isAlike(node, first, source))) return undefined;
    const outside = first.outside === undefined ? undefined : evaluate(factor);
    if (first.outside !== undefined && outside === undefined) return undefined;
    const taken = new Set<string>();
    const axes = source.axes.map((extent, axis) => {
      const [read] = first.at[axis] === undefined ? [] : indexNames(first.at[axis]);
      const name = freshName(read ?? `i${axis}`, taken);
      taken.add(name);
      return { name, extent };
    });
    const target = this.declare(`${statement.target}_factor`, axes, statement);
    const write = axes.map(({ name }) => indexOf(name));
    const body = mapExpression(factor, (node) => (node.kind === 'read' ? read(node.tensor, write) : node));
    const { finish: _, ...rest } = statement;
    made.push({ ...rest, target, indices: axes, write, combine: 'assign', body });
    return read(target, first.at, outside);
  }

  private isAlike(node: Read, first: Read, source: Tensor): boolean {
    const tensor = this.program.tensors.get(node.tensor) ?? this.added.get(node.tensor);
    if (tensor === undefined || tensor.axes.join() !== source.axes.join()) return false;
    if ((node.outside === undefined) !== (first.outside === undefined)) return false;
    return node.at.map(indexKey).join() === first.at.map(indexKey).join();
  }

  private declare(base: string, indices: readonly LoopIndex[], like: Statement): string {
    const name = freshName(withoutPrimes(base), this.names);
    this.names.add(name);
    this.added.set(name, {
      name,
      role: 'intermediate',
      axes: indices.map(({ extent }) => extent),
      axisNames: indices.map((index) => index.name),
      element: indices.length === 0 ? 'double' : 'real',
      span: like.origin.span,
    });
    return name;
  }
}

function written(statement: Statement): readonly LoopIndex[] {
  return statement.indices.slice(0, statement.write.length);
}

/** The operand that has the first axis of the target stands first: x[n, i] * dh[n, j] for dW[i, j]. */
function inOrderOfAxes(operands: readonly Expression[], statement: Statement): Expression[] {
  const axes = written(statement);
  const rank = (operand: Expression): number => {
    const free = freeIndices(operand);
    const lacking = operands.flatMap((other) =>
      other === operand ? [] : axes.findIndex(({ name }) => free.has(name) && !freeIndices(other).has(name)),
    );
    return Math.min(...lacking.map((axis) => (axis < 0 ? axes.length : axis)), axes.length);
  };
  return operands.toSorted((left, right) => rank(left) - rank(right));
}

/** The indices that are still used: a reduced one may have been summed already. */
function order(statement: Statement, body: Expression): readonly LoopIndex[] {
  const used = freeIndices(body);
  const kept = new Set(written(statement));
  return statement.indices.filter((index) => kept.has(index) || used.has(index.name));
}

const union = (parts: readonly ReadonlySet<string>[]): Set<string> =>
  new Set(parts.flatMap((part) => [...part]));

/** Factors over the same indices are one operand: their product costs no more inside than outside. */
function groupAlike(factors: readonly Expression[]): Expression[] {
  const groups = new Map<string, Expression[]>();
  for (const factor of factors) {
    const key = [...freeIndices(factor)].toSorted().join();
    groups.set(key, [...(groups.get(key) ?? []), factor]);
  }
  return [...groups.values()].map(productOf);
}

/** What a factor is where everything it reads is outside. */
function evaluate(factor: Expression): number | undefined {
  const value = mapExpression(factor, (node) => {
    if (node.kind === 'read') return { kind: 'constant', value: node.outside ?? NaN };
    if (node.kind === 'unary' && node.operand.kind === 'constant')
      return { kind: 'constant', value: evaluateUnary[node.operator](node.operand.value) };
    if (node.kind === 'binary' && node.left.kind === 'constant' && node.right.kind === 'constant')
      return { kind: 'constant', value: evaluateBinary[node.operator](node.left.value, node.right.value) };
    if (node.kind === 'select' && node.condition.kind === 'constant')
      return node.condition.value !== 0 ? node.then : node.otherwise;
    return node;
  });
  return isConstant(value) && !Number.isNaN(value.value) ? value.value : undefined;
}

// --------------------------------------------------------------------------------------------------------------- order

interface Step {
  readonly left: number;
  readonly right: number;
  readonly result: number;
  /** The reduced indices that only these two have: they are summed at once. */
  readonly sums: ReadonlySet<string>;
}

interface Plan {
  readonly cost: number;
  readonly steps: readonly Step[];
}

/** The pairs to multiply before the last product, in the cheapest order; empty if all at once is as cheap. */
function cheapestPlan(sets: readonly ReadonlySet<string>[], statement: Statement): readonly Step[] {
  const reduced = new Set(reducedIndices(statement).map(({ name }) => name));
  const volume = (names: ReadonlySet<string>): number =>
    volumeOf(statement.indices.filter(({ name }) => names.has(name)));
  const atOnce = (parts: readonly ReadonlySet<string>[]): number => parts.length * volume(union(parts));

  const search = (open: ReadonlyMap<number, ReadonlySet<string>>, next: number): Plan => {
    let best: Plan = { cost: atOnce([...open.values()]), steps: [] };
    if (open.size <= 2) return best;
    for (const [left, a] of open) {
      for (const [right, b] of open) {
        if (right <= left) continue;
        const others = new Map([...open].filter(([place]) => place !== left && place !== right));
        const needed = union([...others.values()]);
        const both = union([a, b]);
        const sums = new Set([...both].filter((name) => reduced.has(name) && !needed.has(name)));
        const kept = new Set([...both].filter((name) => !sums.has(name)));
        // One product and one addition per point, one store per element.
        const own = volume(both) * (sums.size > 0 ? 2 : 1) + volume(kept);
        if (own >= best.cost) continue;
        const rest = search(new Map([...others, [next, kept]]), next + 1);
        const cost = own + rest.cost;
        if (cost < best.cost) best = { cost, steps: [{ left, right, result: next, sums }, ...rest.steps] };
      }
    }
    return best;
  };
  if (sets.length > mostFactors) return [];
  return search(new Map(sets.entries()), sets.length).steps;
}
