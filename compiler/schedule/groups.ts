/** Which statements are needed when, and which share one function. */
import { hasGuards } from './guards.ts';
import {
  fetchedTensors,
  isPlainIndex,
  isScatter,
  postorder,
  reads,
  tensorsReadBy,
} from '../graph/expressions.ts';
import { neededFor } from '../graph/builder.ts';
import { evaluationResults, nextValues, trainingResults } from '../graph/results.ts';
import { scanUnits } from '../graph/scan.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';
import { INFERENCE_HISTORY } from '../graph/variants.ts';
import { nothing } from './choices.ts';
import type { Without } from './choices.ts';

/** A piece of work: one statement, elementwise ones that share a loop, or a recurrence. */
export interface Group {
  readonly statements: readonly Statement[];
  readonly parts: ReadonlySet<Part>;
  /** They share only the loop over rows: all but the last are values per row. */
  readonly rowwise?: boolean;
  /** All of a list of steps, in one loop over rows with nothing but straight lines in it. */
  readonly unrolled?: boolean;
  /** A window's greatest value, and where it stands; or a logsumexp, and what is made of the softmax of its rows. */
  readonly form?: 'windows' | 'softmax';
}

export type Part = 'forward' | 'backward' | 'evaluate' | 'predict';

/** A function with more than this is split: V8 does not optimise very large ones. */
const largestGroup = { statements: 12, nodes: 250 };

/** The statements that the roots need, themselves included. */
export function neededStatements(program: Program, roots: Iterable<string>): Set<Statement> {
  const needed = neededFor(program.statements, roots);
  return new Set(program.statements.filter(({ target }) => needed.has(target)));
}

/**
 * In which lists of steps each needed statement stands.
 * @param kept what is stored though nothing may need it; it is computed then in training, or in `evaluate` if it is of inference
 */
export function partsOf(program: Program, kept: readonly string[] = []): Map<Statement, Set<Part>> {
  const results = [...trainingResults(program), ...nextValues(program).values()];
  const ofInference = new Set(
    program.statements
      .filter(({ origin }) => origin.history.includes(INFERENCE_HISTORY))
      .map(({ target }) => target),
  );
  const followed = neededStatements(
    program,
    kept.filter((name) => !ofInference.has(name)),
  );
  const computed = neededStatements(program, results);
  const evaluated =
    program.evaluation &&
    neededStatements(program, [
      ...evaluationResults(program),
      ...kept.filter((name) => ofInference.has(name)),
    ]);
  const trained = neededStatements(program, program.gradients.values());
  const predicted = neededStatements(program, program.outputs);
  const parts = new Map<Statement, Set<Part>>();
  for (const statement of program.statements) {
    const of = new Set<Part>();
    if (computed.has(statement)) of.add('forward');
    else if (trained.has(statement) || followed.has(statement))
      of.add(statement.phase === 'forward' ? 'forward' : 'backward');
    if (evaluated?.has(statement)) of.add('evaluate');
    if (predicted.has(statement)) of.add('predict');
    if (of.size > 0) parts.set(statement, of);
  }
  return parts;
}

/** Groups in an order of execution; `given` are those that stand in the place of a statement. */
export function groupStatements(
  parts: ReadonlyMap<Statement, ReadonlySet<Part>>,
  tensors: ReadonlyMap<string, Tensor>,
  without: Without = nothing,
  aliases: ReadonlyMap<string, string> = new Map(),
  given: ReadonlyMap<Statement, readonly Group[]> = new Map(),
): Group[] {
  const groups: (Group & { readonly statements: Statement[] })[] = [];
  for (const unit of scanUnits([...parts.keys()])) {
    const [statement] = unit;
    const of = statement && parts.get(statement);
    if (statement === undefined || of === undefined) continue;
    const instead = given.get(statement);
    if (instead) {
      groups.push(...instead.map((group) => ({ ...group, statements: [...group.statements] })));
      continue;
    }
    if (statement.scan) {
      groups.push({ statements: unit, parts: of });
      continue;
    }
    const mayJoin = !without.has('elementwise') && isElementwise(statement, tensors);
    const home = mayJoin ? homeOf(statement, of, groups, tensors, aliases) : undefined;
    if (home) home.statements.push(statement);
    else groups.push({ statements: [statement], parts: of });
  }
  return groups;
}

/** The latest group that the statement can join: one it reads from, with nothing in between that it waits for. */
function homeOf<G extends { readonly statements: Statement[]; readonly parts: ReadonlySet<Part> }>(
  statement: Statement,
  parts: ReadonlySet<Part>,
  groups: readonly G[],
  tensors: ReadonlyMap<string, Tensor>,
  aliases: ReadonlyMap<string, string>,
): G | undefined {
  const reading = tensorsReadBy(statement);
  // what is read under another name has another shape
  const renamed = new Set([...reading].flatMap((tensor) => aliases.get(tensor) ?? []));
  for (const group of groups.toReversed()) {
    if (group.statements.some((other) => renamed.has(other.target))) return undefined;
    if (!group.statements.some((other) => reading.has(other.target))) continue;
    const [first] = group.statements;
    const fits =
      first !== undefined &&
      first.scan === undefined &&
      isElementwise(first, tensors) &&
      sameBox(first, statement) &&
      [...parts].every((part) => group.parts.has(part)) &&
      parts.size === group.parts.size &&
      group.statements.every((other) => readsInPlace(statement, other.target)) &&
      group.statements.length < largestGroup.statements &&
      [...group.statements, statement].reduce((total, other) => total + nodesOf(other), 0) <
        largestGroup.nodes;
    return fits ? group : undefined;
  }
  return undefined;
}

function nodesOf(statement: Statement): number {
  return postorder(statement.body).length + (statement.finish ? postorder(statement.finish).length : 0);
}

export function isElementwise(statement: Statement, tensors: ReadonlyMap<string, Tensor>): boolean {
  if (statement.combine !== 'assign' || isScatter(statement)) return false;
  if (statement.indices.length !== statement.write.length) return false;
  const extents = new Map(statement.indices.map((index) => [index.name, index.extent]));
  return !hasGuards(statement.body, 'assign', extents, tensors);
}

export function sameBox(left: Statement, right: Statement): boolean {
  return (
    left.indices.length === right.indices.length &&
    left.indices.every((index, position) => index.extent === right.indices[position]?.extent)
  );
}

/** True if the statement reads the tensor, if at all, only at the very place that it writes. */
export function readsInPlace(statement: Statement, tensor: string): boolean {
  const expressions = statement.finish ? [statement.body, statement.finish] : [statement.body];
  return expressions.every(
    (expression) =>
      !fetchedTensors(expression).has(tensor) &&
      reads(expression)
        .filter((node) => node.tensor === tensor)
        .every(
          (node) =>
            node.outside === undefined &&
            node.at.length === statement.write.length &&
            node.at.every((index, axis) => isPlainIndex(index) === statement.indices[axis]?.name),
        ),
  );
}
