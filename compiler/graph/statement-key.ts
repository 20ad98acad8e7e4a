/** When two statements compute the same. */
import { addIndex, expressionKey, indexKey, indexOf, substituteIndices } from './expressions.ts';
import type { Statement, Tensor } from './types.ts';

/** Equal for statements that compute the same, whatever their indices and targets are called. */
export function statementKey(statement: Statement, tensors: ReadonlyMap<string, Tensor>): string {
  const { indices, combine, write, body, finish, target } = statement;
  const names = new Map(indices.map(({ name }, place) => [name, indexOf(`#${place}`)]));
  const tensor = tensors.get(target);
  return [
    combine,
    tensor?.element,
    tensor?.axes.join(),
    indices.map(({ extent }) => extent).join(),
    write.map((index) => indexKey(substituteIndices(addIndex(index), names))).join(),
    expressionKey(substituteIndices(body, names)),
    finish === undefined ? '' : expressionKey(substituteIndices(finish, names)),
  ].join(' | ');
}
