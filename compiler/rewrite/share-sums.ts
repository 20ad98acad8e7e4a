/**
 * Sums that differ only in what is done with them, c Σ f and -d Σ f, are one sum and two statements that read it: in the
 * backward pass of batch norm Σ dy and Σ dy (x - m) are the gradients of its shift and its gain, and stand in dx again.
 */
import { elementOf, withStatements } from '../graph/builder.ts';
import {
  accumulated,
  expressionKey,
  freshName,
  indexOf,
  isScatter,
  negate,
  read,
  reducedIndices,
  replaceAccumulated,
  substituteIndices,
  subtract,
  withoutPrimes,
} from '../graph/expressions.ts';
import { statementKey } from '../graph/statement-key.ts';
import type { Expression, Program, Statement, Tensor } from '../graph/types.ts';
import { ownPlace } from './definitions.ts';
import { factorsOf, quotientOf } from './terms.ts';

/** A sum without its finish: `sign` times that of `body`. */
interface Bare {
  readonly statement: Statement;
  readonly sign: 1 | -1;
  readonly body: Expression;
  readonly key: string;
}

export function shareSums(program: Program): Program {
  const groups = new Map<string, Bare[]>();
  for (const statement of program.statements) {
    const bare = bareSum(statement, program.tensors);
    if (bare !== undefined) groups.set(bare.key, [...(groups.get(bare.key) ?? []), bare]);
  }
  const names = new Set(program.tensors.keys());
  const added = new Map<string, Tensor>();
  /** Target -> the statements that take its place. */
  const instead = new Map<string, readonly Statement[]>();
  for (const [first, ...others] of groups.values()) {
    if (first === undefined || others.length === 0) continue;
    const all = [first, ...others];
    const { phase } = first.statement;
    const known = all.find(({ statement }) => statement.finish === undefined && statement.phase === phase);
    const sum = known ?? hoisted(first, names, program.tensors, added);
    for (const each of all) instead.set(each.statement.target, each === known ? [] : [reading(sum, each)]);
    instead.set(first.statement.target, [sum.statement, ...(instead.get(first.statement.target) ?? [])]);
  }
  if (instead.size === 0) return program;
  const statements = program.statements.flatMap((statement) => instead.get(statement.target) ?? [statement]);
  return withStatements(program, statements, added);
}

function bareSum(statement: Statement, tensors: ReadonlyMap<string, Tensor>): Bare | undefined {
  const { combine, scan, indices } = statement;
  if (combine !== 'sum' || scan !== undefined || isScatter(statement)) return undefined;
  if (reducedIndices(statement).length === 0) return undefined;
  const places = new Map(indices.map(({ name }, place) => [name, indexOf(`#${place}`)]));
  const keyOf = (node: Expression): string => expressionKey(substituteIndices(node, places));
  const quotient = factorsOf(statement.body);
  let { sign } = quotient;
  const numerator = quotient.numerator.map((factor) => {
    if (factor.kind !== 'binary' || factor.operator !== 'subtract') return factor;
    const { left, right } = factor;
    if (keyOf(left) <= keyOf(right)) return factor;
    sign = sign === 1 ? -1 : 1;
    return subtract(right, left);
  });
  const whole = (factors: readonly Expression[]): Expression =>
    quotientOf({ sign: 1, numerator: factors, denominator: quotient.denominator });
  const inOrder = numerator.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const { finish: _, ...rest } = statement;
  const key = statementKey({ ...rest, body: whole(inOrder) }, tensors);
  return { statement, sign, body: whole(numerator), key };
}

/** The sum of the first of a group as a statement of its own. */
function hoisted(
  { statement, body, key }: Bare,
  names: Set<string>,
  tensors: ReadonlyMap<string, Tensor>,
  added: Map<string, Tensor>,
): Bare {
  const like = tensors.get(statement.target);
  if (like === undefined) throw new Error(`${statement.target} is not declared`);
  const target = freshName(`${withoutPrimes(statement.target).replace(/_sum\d*$/, '')}_sum`, names);
  names.add(target);
  const element = elementOf('sum', like.axes.length);
  added.set(target, { ...like, name: target, role: 'intermediate', element });
  const { finish: _, ...rest } = statement;
  return { statement: { ...rest, target, body }, sign: 1, body, key };
}

/** The statement with the sum read instead of summed. */
function reading(sum: Bare, { statement, sign }: Bare): Statement {
  const { finish = accumulated, origin, ...rest } = statement;
  const value = read(sum.statement.target, ownPlace(statement));
  return {
    ...rest,
    indices: statement.indices.slice(0, statement.write.length),
    combine: 'assign',
    body: replaceAccumulated(finish, sign === sum.sign ? value : negate(value)),
    origin: { ...origin, history: [...origin.history, 'shared'] },
  };
}
