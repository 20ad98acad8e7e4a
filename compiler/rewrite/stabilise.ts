/**
 * Numerical stability by construction: formulas as textbooks write them become formulas that neither overflow nor lose
 * their digits, before anything is differentiated. Every rule keeps the value wherever the left side has one, up to
 * rounding. Names do not hide a formula: rules look through tensors to what they are defined as.
 *
 * A clamp is a decision of the user: log(max(p, 1e-7)) and log(p + 1e-8) differ from log(p) and stay as they are.
 */
import {
  add,
  differentiatedBy,
  expressionKey,
  freshName,
  withoutPrimes,
  indexOf,
  Interner,
  mapExpression,
  read,
  substituteIndices,
  subtract,
} from '../graph/expressions.ts';
import { asPart, withStatements } from '../graph/builder.ts';
import type { Expression, Program, Statement, Tensor } from '../graph/types.ts';
import { editedTensors } from '../graph/results.ts';
import { Definitions, fitsHole, isInvariant, placesOf } from './definitions.ts';
import { rewriteAll } from './matching.ts';
import type { Reduction, Surroundings } from './matching.ts';
import { rewriteFunctions } from './own-functions.ts';
import { ruleTable } from './patterns.ts';
import { sumOf, termsOf } from './terms.ts';

export const stableForms = ruleTable([
  // log of what overflows or rounds to 0 or 1
  'log(exp(u)) => u', //                                            log softmax, with exp(z - logsumexp z) for softmax
  'log(sum(exp(u))) => logsumexp(u)',
  'log(sum(exp(u)) / k) => logsumexp(u) - log(k)', //                                                log mean exp
  'log(exp(u) / v) => u - log(v)',
  'log(exp(u) * v) => u + log(v)',
  'log(v / exp(u)) => log(v) - u',
  'log(exp(u) ^ v) => v * u',
  'log(sigmoid(u)) => -softplus(-u)', //                              1/σ(u) = 1 + e⁻ᵘ
  'log(1 - sigmoid(u)) => -softplus(u)', //                           1 - σ(u) = σ(-u)
  'log1p(-sigmoid(u)) => -softplus(u)',
  'log(sigmoid(u) ^ w) => -(w * softplus(-u))', //                   a Bernoulli likelihood aʸ (1 - a)¹⁻ʸ
  'log((1 - sigmoid(u)) ^ w) => -(w * softplus(u))',
  'log(sigmoid(u) ^ w * v) => log(v) - w * softplus(-u)',
  'log((1 - sigmoid(u)) ^ w * v) => log(v) - w * softplus(u)',
  'log(t * sigmoid(u) + (1 - t) * (1 - sigmoid(u))) => t ? -softplus(-u) : -softplus(u)', //  the probability of what was
  'log(1 + exp(u)) => softplus(u)',
  'log1p(exp(u)) => softplus(u)',
  'log(exp(u) + exp(c)) => c + softplus(u - c)',
  'log(exp(u) + exp(v)) => v == -inf ? u : (u > v ? u + softplus(v - u) : v + softplus(u - v))', //  log 0 where both are -inf
  'log(cosh(u)) => abs(u) + softplus(-2 * abs(u)) - log(2)', //        cosh u = e^|u| (1 + e^(-2|u|)) / 2
  'log(1 - tanh(u) ^ 2) => 2 * (log(2) - u - softplus(-2 * u))', //   1 - tanh² u = 4 e^(-2u) / (1 + e^(-2u))²
  'log(s ? u : v) => s ? log(u) : log(v)',
  'log(1 + u) => log1p(u)',

  // quotients of exponentials
  'exp(u) / sum(exp(v)) => exp(u - logsumexp(v))', //                 softmax, also with a maximum taken out by hand
  'exp(u) / (1 + exp(u)) ^ 2 => sigmoid(u) * sigmoid(-u)',
  'exp(u) / (1 + exp(u)) => sigmoid(u)',
  'expm1(u) / (1 + exp(u)) => tanh(u / 2)',
  '(exp(u) - exp(-u)) / (exp(u) + exp(-u)) => tanh(u)',
  'sinh(u) / cosh(u) => tanh(u)',
  'exp(u) / (exp(u) + exp(v)) => sigmoid(u - v)', //                   softmax of two
  'exp(u) / exp(v) => exp(u - v)',
  '1 / (1 + exp(u)) ^ c => sigmoid(-u) ^ c',
  '1 / (1 + exp(u)) => sigmoid(-u)',

  // the logistic function by its symmetric sister: (1 + tanh u) / 2 rounds to 0 where σ(2u) = e^(2u) still has digits
  '(1 + tanh(u)) / 2 => sigmoid(2 * u)', //                            (e^u + e^-u + e^u - e^-u) / 2 (e^u + e^-u)
  '(1 - tanh(u)) / 2 => sigmoid(-2 * u)', //                           tanh(-u) = -tanh u
  '0.5 * (1 + tanh(u)) => sigmoid(2 * u)',
  '0.5 * (1 - tanh(u)) => sigmoid(-2 * u)',
  '0.5 + tanh(u) / 2 => sigmoid(2 * u)',
  '0.5 - tanh(u) / 2 => sigmoid(-2 * u)',
  '1 / 2 + tanh(u) / 2 => sigmoid(2 * u)',
  '1 / 2 - tanh(u) / 2 => sigmoid(-2 * u)',
  '0.5 + 0.5 * tanh(u) => sigmoid(2 * u)',
  '0.5 - 0.5 * tanh(u) => sigmoid(-2 * u)',

  // differences of nearly equal numbers
  'exp(u) - 1 => expm1(u)',
  '2 * sigmoid(u) - 1 => tanh(u / 2)',
  'max(u, 0) + softplus(-abs(u)) => softplus(u)', //                   log(1 + eᵘ) as it is written by hand
  'relu(u) + softplus(-abs(u)) => softplus(u)',

  // the slope of √ at 0 is infinite; that of a norm there is taken as 0, its least subgradient
  'sqrt(q) => norm_sqrt(q)',
]);

/** The program in its stable form. What was looked through may be left without a reader: see dead.ts. */
export function stabilise(program: Program): Program {
  const stabiliser = new Stabiliser(program);
  for (const statement of program.statements) stabiliser.take(statement);
  return stabiliser.result();
}

class Stabiliser {
  private readonly program: Program;
  private readonly byTarget = new Map<string, Statement>();
  private readonly definitions: Definitions;
  private readonly interner = new Interner();
  private readonly added = new Map<string, Tensor>();
  private readonly names: Set<string>;
  /** What was taken out of a logsumexp: it cancels against the same term beside it. */
  private readonly shifts = new Set<number>();
  /** Reductions that are there already, by what they compute. */
  private readonly known = new Map<string, string>();
  /** Target -> statements to stand right after it. */
  private readonly after = new Map<string, Statement[]>();
  private readonly around: Surroundings;

  constructor(program: Program) {
    this.program = program;
    const opaque = new Set([...differentiatedBy(program.statements), ...editedTensors(program)]);
    this.definitions = new Definitions(this.byTarget, opaque);
    this.names = new Set(program.tensors.keys());
    this.around = {
      interner: this.interner,
      fits: (kind, node) => fitsHole(kind, node, program.tensors, this.definitions),
      definition: (node) => this.definitions.of(node),
      sum: (node) => this.definitions.sum(node),
      reduce: (combine, body, like) => this.reduce(combine, body, like),
    };
  }

  take(statement: Statement): void {
    if (statement.body.kind === 'derivative') {
      this.byTarget.set(statement.target, statement);
      return;
    }
    const own = rewriteFunctions(statement.body, stableForms);
    let body = rewriteAll(own, stableForms, this.around);
    if (this.shifts.size > 0) body = mapExpression(body, (node) => this.withoutShifts(node));
    const { origin } = statement;
    const taken =
      body === statement.body
        ? statement
        : { ...statement, body, origin: { ...origin, history: [...origin.history, 'stabilised'] } };
    this.byTarget.set(taken.target, taken);
    if (taken.combine === 'logsumexp') this.known.set(this.keyOf(taken), taken.target);
  }

  result(): Program {
    const statements = [...this.program.statements].flatMap(({ target }) => {
      const own = this.byTarget.get(target);
      return [...(own ? [own] : []), ...(this.after.get(target) ?? [])];
    });
    return withStatements(this.program, statements, this.added);
  }

  /** logsumexp(u + m) = logsumexp(u) + m, for m that no reduced index moves: only logsumexp(u) becomes a statement. */
  private reduce(combine: 'sum' | 'logsumexp', body: Expression, like: Reduction): Expression {
    const terms = termsOf(body);
    const outer = terms.filter(({ of }) => isInvariant(of, like.statement));
    const moved = combine === 'logsumexp' && outer.length < terms.length ? outer : [];
    const inner = moved.length === 0 ? body : sumOf(terms.filter((term) => !moved.includes(term)));
    const target = this.hoist(combine, inner, like.statement);
    const places = placesOf(like.statement, like.at);
    return moved.reduce<Expression>(
      (sum, { sign, of }) => {
        const shift = substituteIndices(of, places);
        this.shifts.add(this.interner.idOf(shift));
        return sign === 1 ? add(sum, shift) : subtract(sum, shift);
      },
      read(target, like.at),
    );
  }

  private hoist(combine: 'sum' | 'logsumexp', body: Expression, like: Statement): string {
    const { origin } = like;
    const made: Statement = {
      ...like,
      combine,
      body,
      origin: { ...origin, history: [...origin.history, 'stabilised'] },
    };
    const key = this.keyOf(made);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const target = freshName(`${withoutPrimes(like.target).replace(/_sum\d*$/, '')}_${combine}`, this.names);
    this.names.add(target);
    this.known.set(key, target);
    const statement = { ...made, target };
    this.byTarget.set(target, statement);
    const tensor = this.program.tensors.get(like.target);
    if (tensor === undefined) throw new Error(`${like.target} is not declared`);
    this.added.set(target, { ...tensor, ...asPart(tensor), name: target, element: 'double' });
    this.after.set(like.target, [...(this.after.get(like.target) ?? []), statement]);
    return target;
  }

  /** m - m for a shift m: the value of u - logsumexp(u) does not depend on it. */
  private withoutShifts(node: Expression): Expression {
    if (node.kind !== 'binary' || (node.operator !== 'add' && node.operator !== 'subtract')) return node;
    const terms = termsOf(node);
    const kept = [...terms];
    for (const term of terms) {
      const id = this.interner.idOf(term.of);
      if (term.sign === -1 || !this.shifts.has(id)) continue;
      const against = kept.findIndex((other) => other.sign === -1 && this.interner.idOf(other.of) === id);
      if (against < 0 || !kept.includes(term)) continue;
      kept.splice(against, 1);
      kept.splice(kept.indexOf(term), 1);
    }
    return kept.length === terms.length ? node : sumOf(kept);
  }

  /** Equal for reductions that differ only in the names of their indices and their target. */
  private keyOf(statement: Statement): string {
    const names = new Map(statement.indices.map(({ name }, place) => [name, indexOf(`#${place}`)]));
    const extents = statement.indices.map(({ extent }) => extent).join();
    const body = expressionKey(substituteIndices(statement.body, names));
    return [statement.combine, statement.write.length, extents, body].join(' ');
  }
}
