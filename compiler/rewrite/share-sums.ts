/**
 * Sums that differ only in what is done with them, c Σ f and -d Σ f, are one sum and two statements that read it: in the
 * backward pass of batch norm Σ dy and Σ dy (x - m) are the gradients of its shift and its gain, and stand in dx again.
 */
import { asPart, elementOf, withStatements } from '../graph/builder.ts';
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

/** A sum without its finish: `sign` times the one that has this key. */
interface Bare {
  readonly statement: Statement;
  readonly sign: 1 | -1;
  readonly key: string;
}

export function shareSums(program: Program): Program {
  const groups = new Map<string, Bare[]>();
  for (const statement of program.statements) {
    const bare = bareSum(statement, program.tensors);
    if (bare !== undefined) groups.set(bare.key, [...(groups.get(bare.key) ?? []), bare]);
  }
  const names = new Set(program.tensors.keys());
  const gradients = new Set(program.gradients.values());
  const added = new Map<string, Tensor>();
  /** Target -> the statements that take its place. */
  const instead = new Map<string, readonly Statement[]>();
  for (const [first, ...others] of groups.values()) {
    if (first === undefined || others.length === 0) continue;
    const all = [first, ...others];
    const { phase } = first.statement;
    const known = all.find(({ statement }) => statement.finish === undefined && statement.phase === phase);
    // the sum of a parameter's gradient is called after that
    const gradient = all.find(({ statement }) => gradients.has(statement.target)) ?? first;
    const sum = known ?? hoisted({ ...gradient, phase }, names, program.tensors, added);
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
  const inOrder = numerator.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const body = quotientOf({ sign: 1, numerator: inOrder, denominator: quotient.denominator });
  const { finish: _, ...rest } = statement;
  const key = statementKey({ ...rest, body }, tensors);
  return { statement, sign, key };
}

/** The sum of one of a group as a statement of its own. */
function hoisted(
  { statement, sign, key, phase }: Bare & Pick<Statement, 'phase'>,
  names: Set<string>,
  tensors: ReadonlyMap<string, Tensor>,
  added: Map<string, Tensor>,
): Bare {
  const like = tensors.get(statement.target);
  if (like === undefined) throw new Error(`${statement.target} is not declared`);
  const target = freshName(`${withoutPrimes(statement.target).replace(/_sum\d*$/, '')}_sum`, names);
  names.add(target);
  const element = elementOf('sum', like.axes.length);
  added.set(target, { ...like, ...asPart(like), name: target, role: 'intermediate', element });
  const { finish: _, ...rest } = statement;
  return { statement: { ...rest, target, phase }, sign, key };
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
