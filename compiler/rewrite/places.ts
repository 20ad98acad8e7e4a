/**
 * Simpler places of reads: quotients and remainders that the extents of the indices decide (of one group of channels,
 * f / filters is 0), and no value for the outside where a read is provably inside its tensor.
 */
import {
  extentsOf,
  hasExact,
  isInside,
  mapExpression,
  mapIndices,
  tightenIndex,
} from '../graph/expressions.ts';
import type { Expression, Statement, Tensor } from '../graph/types.ts';

/** The statement itself where nothing is simpler. */
export function simplerPlaces(statement: Statement, tensors: ReadonlyMap<string, Tensor>): Statement {
  const extents = extentsOf(statement.indices);
  const simpler = (expression: Expression): Expression =>
    mapExpression(
      mapIndices(expression, (index) => tightenIndex(index, extents, tensors)),
      (node) => {
        if (node.kind !== 'read' || node.outside === undefined) return node;
        const axes = tensors.get(node.tensor)?.axes ?? [];
        const inside = node.at.every(
          (index, axis) => !hasExact(index) && isInside(index, axes[axis] ?? 0, extents, tensors),
        );
        const { outside: _, ...bare } = node;
        return inside ? bare : node;
      },
    );
  const body = simpler(statement.body);
  const finish = statement.finish && simpler(statement.finish);
  if (body === statement.body && finish === statement.finish) return statement;
  return { ...statement, body, ...(finish === undefined ? {} : { finish }) };
}
