/** What a condition says of indices: in `t == 0 ? a[n] : h[n, t - 1]` the read is inside, since t is not 0 there. */
import {
  addIndex,
  indexNames,
  indexOf,
  isPlainIndex,
  substituteIndices,
  subtractIndex,
} from '../graph/expressions.ts';
import type { BinaryOperator, Expression, Extent, IndexExpression } from '../graph/types.ts';
import type { Bound, Elaboration } from './elaboration.ts';

/** v < x and so on, for an index v and a whole number x: what it says where it holds. */
const rules: Partial<Record<BinaryOperator, (x: number) => Omit<Bound, 'variable'>>> = {
  less: (x) => ({ greatest: x - 1 }),
  less_equal: (x) => ({ greatest: x }),
  greater: (x) => ({ least: x + 1 }),
  greater_equal: (x) => ({ least: x }),
  equal: (x) => ({ least: x, greatest: x }),
  not_equal: (x) => ({ not: x }),
};

/** The comparison that holds where the one does not. */
const opposite: Partial<Record<BinaryOperator, BinaryOperator>> = {
  less: 'greater_equal',
  less_equal: 'greater',
  greater: 'less_equal',
  greater_equal: 'less',
  equal: 'not_equal',
  not_equal: 'equal',
};

/** The same comparison with its sides swapped. */
const mirrored: Partial<Record<BinaryOperator, BinaryOperator>> = {
  less: 'greater',
  less_equal: 'greater_equal',
  greater: 'less',
  greater_equal: 'less_equal',
  equal: 'equal',
  not_equal: 'not_equal',
};

/** What is known where a condition holds, or where it does not. */
export function boundsFrom(condition: Expression, holds: boolean): readonly Bound[] {
  if (condition.kind === 'unary' && condition.operator === 'not')
    return boundsFrom(condition.operand, !holds);
  if (condition.kind !== 'binary') return [];
  const { left, right, operator } = condition;
  if (operator === (holds ? 'and' : 'or')) return [...boundsFrom(left, holds), ...boundsFrom(right, holds)];
  const [first, second] = [wholeNumber(left), wholeNumber(right)];
  const meant = holds ? operator : opposite[operator];
  if (first === undefined || second === undefined || meant === undefined) return [];
  const { terms, constant } = subtractIndex(first, second);
  const [term, ...others] = terms;
  if (term?.atom.kind !== 'index' || others.length > 0 || Math.abs(term.coefficient) !== 1) return [];
  const rule = rules[term.coefficient === 1 ? meant : (mirrored[meant] ?? meant)];
  const value = term.coefficient === 1 ? -constant : constant;
  return rule === undefined ? [] : [{ variable: term.atom.name, ...rule(value) }];
}

/** An index, a whole number, or sums and differences of such. */
function wholeNumber(node: Expression): IndexExpression | undefined {
  if (node.kind === 'index_value') return node.index;
  if (node.kind === 'binary' && (node.operator === 'add' || node.operator === 'subtract')) {
    const [left, right] = [wholeNumber(node.left), wholeNumber(node.right)];
    if (left === undefined || right === undefined) return undefined;
    return node.operator === 'add' ? addIndex(left, right) : subtractIndex(left, right);
  }
  return node.kind === 'constant' && Number.isSafeInteger(node.value)
    ? { terms: [], constant: node.value }
    : undefined;
}

/** What the conditions around say of the indices in some index arithmetic; nothing of an index that stands alone. */
export function knownOf(index: IndexExpression, { frame }: Elaboration): readonly Bound[] {
  if (frame === undefined || isPlainIndex(index) !== undefined) return [];
  const names = indexNames(index);
  return frame.known.filter(({ variable }) => names.has(variable));
}

/**
 * The index expression over indices that count from the least value they can have; `extents` is changed to how far they
 * then run. Undefined if an index can have no value: the expression is never used.
 */
export function narrow(
  index: IndexExpression,
  extents: Map<string, Extent>,
  known: readonly Bound[],
): IndexExpression | undefined {
  let result = index;
  for (const id of new Set(known.map(({ variable }) => variable))) {
    const extent = extents.get(id);
    if (typeof extent !== 'number') continue;
    const own = known.filter(({ variable }) => variable === id);
    let least = Math.max(0, ...own.map((bound) => bound.least ?? 0));
    let greatest = Math.min(extent - 1, ...own.map((bound) => bound.greatest ?? Infinity));
    for (const { not } of own) {
      if (not === least) least++;
      else if (not === greatest) greatest--;
    }
    if (greatest < least) return undefined;
    result = substituteIndices(result, new Map([[id, { ...indexOf(id), constant: least }]]));
    extents.set(id, greatest - least + 1);
  }
  return result;
}
