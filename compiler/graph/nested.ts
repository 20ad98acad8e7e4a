/**
 * Sums inside of a formula: `loss = mean[n](logsumexp[k](z[n, k]) - z[n, label[n]])`. In the graph each reduction is a
 * statement; on paper one that is used once, and to which the model gives no name, stands in the formula that uses it.
 */
import {
  fetchedTensors,
  foldExpression,
  freshName,
  indexOf,
  isPlainIndex,
  isScatter,
  reads,
  reducedIndices,
  substituteIndices,
  tensorsReadBy,
} from './expressions.ts';
import { pinned } from './results.ts';
import type { Expression, LoopIndex, Program, Read, Statement } from './types.ts';

/** How often a node of a kind, or the read of a tensor, stands in an expression that is written out. */
export function occurrencesOf(root: Expression, kindOrTensor: string): number {
  return foldExpression<number>(root, (node, counts) => {
    const own = node.kind === kindOrTensor || (node.kind === 'read' && node.tensor === kindOrTensor) ? 1 : 0;
    return counts.reduce((sum, count) => sum + count, own);
  });
}

/** Is it the number of places that some indices run over, as a mean divides by it? */
export function isCountOf(expression: Expression, indices: readonly LoopIndex[]): boolean {
  let count = 1;
  const open: string[] = [];
  const visit = (node: Expression): boolean => {
    if (node.kind === 'constant') count *= node.value;
    else if (node.kind === 'extent_value') open.push(node.extent);
    else if (node.kind === 'binary' && node.operator === 'multiply')
      return visit(node.left) && visit(node.right);
    else return false;
    return true;
  };
  if (!visit(expression)) return false;
  const fixed = indices.reduce(
    (product, { extent }) => product * (typeof extent === 'number' ? extent : 1),
    1,
  );
  const named = indices.flatMap(({ extent }) => (typeof extent === 'string' ? [extent] : []));
  return count === fixed && open.toSorted().join() === named.toSorted().join();
}

/** The statement of a reduction as it stands at the place of a read: with the indices that are called so there. */
export function asNested(part: Statement, { at }: Read, taken: ReadonlySet<string>): Statement {
  const names = new Map<string, string>();
  for (const [axis, index] of part.write.entries())
    names.set(isPlainIndex(index) ?? '', isPlainIndex(at[axis] ?? indexOf('')) ?? '');
  const used = new Set([...taken, ...names.values()]);
  for (const { name } of reducedIndices(part)) {
    const free = freshName(name, used);
    used.add(free);
    names.set(name, free);
  }
  const places = new Map([...names].map(([from, to]) => [from, indexOf(to)]));
  return {
    ...part,
    indices: part.indices.map((index) => ({ ...index, name: names.get(index.name) ?? index.name })),
    write: part.write.map((index) => substituteIndices(index, places)),
    body: substituteIndices(part.body, places),
    ...(part.finish === undefined ? {} : { finish: substituteIndices(part.finish, places) }),
  };
}

interface Use {
  readonly statement: Statement;
  /** Absent where it is more than one, or an index. */
  readonly read?: Read;
}

/**
 * The reductions that can stand inside of their only reader: without a name in the model, read once, all along. Their own
 * text must show how far their indices run (`isShown`), since nothing else does then.
 */
export function nestedReductions(
  program: Program,
  isShown: (part: Statement) => boolean,
): Map<string, Statement> {
  const kept = pinned(program);
  const uses = usesOf(program);
  const nested = new Map<string, Statement>();
  for (const part of program.statements) {
    const { target, combine, finish, scan, phase } = part;
    if (program.tensors.get(target)?.partOf === undefined || kept.has(target)) continue;
    const isReduction = combine !== 'assign' && reducedIndices(part).length > 0 && !isScatter(part);
    const [use, ...others] = uses.get(target) ?? [];
    if (!isReduction || use === undefined || others.length > 0 || scan || use.statement.scan) continue;
    if (use.statement.phase !== phase || !isShown(part)) continue;
    if (finish !== undefined && !isMean(finish, reducedIndices(part))) continue;
    if (use.read !== undefined && isWholeRead(use.read)) nested.set(target, part);
  }
  return nested;
}

/** At an index of its own on every axis. */
function isWholeRead({ at, outside }: Read): boolean {
  const names = at.map(isPlainIndex);
  return outside === undefined && !names.includes(undefined) && new Set(names).size === names.length;
}

/** The sum divided by the number of its places. */
export function isMean(finish: Expression, reduced: readonly LoopIndex[]): boolean {
  return (
    finish.kind === 'binary' &&
    finish.operator === 'divide' &&
    finish.left.kind === 'accumulated' &&
    isCountOf(finish.right, reduced)
  );
}

/** The statements that read each part of another. */
function usesOf({ tensors, statements }: Program): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  for (const statement of statements) {
    const { body, finish } = statement;
    const times = finish === undefined ? 1 : Math.max(1, occurrencesOf(finish, 'accumulated'));
    for (const tensor of tensorsReadBy(statement)) {
      if (tensors.get(tensor)?.partOf === undefined) continue;
      const count =
        times * occurrencesOf(body, tensor) + (finish === undefined ? 0 : occurrencesOf(finish, tensor));
      const [read] = [body, finish ?? body].flatMap(reads).filter((each) => each.tensor === tensor);
      const use: Use =
        count === 1 && read !== undefined && !isFetched(tensor, statement)
          ? { statement, read }
          : { statement };
      uses.set(tensor, [...(uses.get(tensor) ?? []), use]);
    }
  }
  return uses;
}

function isFetched(tensor: string, { body, finish, write }: Statement): boolean {
  return [body, ...(finish === undefined ? [] : [finish]), ...write].some((part) =>
    fetchedTensors(part).has(tensor),
  );
}
