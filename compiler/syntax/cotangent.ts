/** `cotangent h[n, j] -> ...` in a model or a layer. */
import type { BlockKind } from './blocks.ts';
import { withArticle } from './blocks.ts';
import type { Cursor } from './cursor.ts';
import { giveUp, lastValue, parseBindings, whole } from './statements.ts';
import type { Token } from './tokens.ts';
import type { CotangentEdit } from './tree.ts';

/** `cotangent` is no reserved word: it stands before a name on its line, or before `loss`, of which an error tells. */
export const beginsCotangent = (token: Token, next: Token): boolean =>
  token.kind === 'name' &&
  token.text === 'cotangent' &&
  (next.kind === 'name' || next.text === 'loss') &&
  !next.first;

/** `cotangent h[n, j] -> clip(dh[n, j], -1, 1)` */
export function parseCotangent(cursor: Cursor, kind: BlockKind): CotangentEdit | undefined {
  const { start } = cursor.current;
  const word = cursor.spanOf(cursor.advance());
  if (kind !== 'model' && kind !== 'layer') {
    cursor.diagnostics.error('E608', word, `\`cotangent\` cannot stand in ${withArticle(kind)}`, {
      hint:
        kind === 'scan'
          ? 'put it behind the block: the tensors of the block can be read there'
          : 'it is a statement of a model or a layer',
    });
    cursor.skipStatement();
    return undefined;
  }
  if (cursor.at('loss')) {
    cursor.diagnostics.error('E608', cursor.spanOf(cursor.actual), 'the cotangent of the loss is 1', {
      hint: 'scale the loss, or edit the cotangent of what it is made of',
    });
    cursor.skipStatement();
    return undefined;
  }
  const name = cursor.expectName('the name of a tensor');
  if (name === undefined) return giveUp(cursor, 'the name of a tensor');
  const before = cursor.diagnostics.list.length;
  const bindings = cursor.at('[') ? parseBindings(cursor) : undefined;
  if (cursor.diagnostics.list.length > before) {
    // how many indices are meant is not known
    cursor.skipStatement();
    return undefined;
  }
  cursor.expect(
    '->',
    `and what flows on, after \`${name.text}\``,
    'for example `cotangent h[n, j] -> clip(dh[n, j], -1, 1)`',
  );
  const value = lastValue(cursor, 'an expression');
  const span = whole(cursor, start, value);
  return { kind: 'cotangent', name, ...(bindings === undefined ? {} : { bindings }), value, span };
}
