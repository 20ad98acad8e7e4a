/** When two statements compute the same. */
import { addIndex, expressionKey, indexKey, indexOf, substituteIndices } from './expressions.ts';
import type { Statement, Tensor } from './types.ts';

const keys = new WeakMap<Statement, string>();

/** Equal for statements that compute the same, whatever their indices and targets are called. */
export function statementKey(statement: Statement, tensors: ReadonlyMap<string, Tensor>): string {
  const tensor = tensors.get(statement.target);
  let key = keys.get(statement);
  if (key === undefined) {
    key = keyOf(statement);
    keys.set(statement, key);
  }
  return [tensor?.element, tensor?.axes.join(), key].join(' | ');
}

function keyOf({ indices, combine, write, body, finish }: Statement): string {
  const names = new Map(indices.map(({ name }, place) => [name, indexOf(`#${place}`)]));
  return [
    combine,
    indices.map(({ extent }) => extent).join(),
    write.map((index) => indexKey(substituteIndices(addIndex(index), names))).join(),
    expressionKey(substituteIndices(body, names)),
    finish === undefined ? '' : expressionKey(substituteIndices(finish, names)),
  ].join(' | ');
}
