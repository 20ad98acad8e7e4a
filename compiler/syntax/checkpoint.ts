/** `checkpoint h = x |> block`: a statement whose inside is not kept for the backward pass. */
import type { Span } from '../diagnostics/source.ts';
import type { BlockKind } from './blocks.ts';
import { withArticle } from './blocks.ts';
import type { Cursor } from './cursor.ts';
import type { Token } from './tokens.ts';

/** `checkpoint` is no reserved word: it stands before another word on its line. */
export function beginsCheckpoint(token: Token, next: Token): boolean {
  const isWord = next.kind === 'name' || next.kind === 'keyword';
  return token.kind === 'name' && token.text === 'checkpoint' && isWord && !next.first;
}

/** Takes the word; its place if it counts here: before an assignment of a model or layer. Else E604 is reported. */
export function takeCheckpoint(cursor: Cursor, kind: BlockKind): Span | undefined {
  const { current: token, next } = cursor;
  const span = cursor.spanOf(token);
  cursor.advance();
  if (kind !== 'model' && kind !== 'layer') {
    cursor.diagnostics.error('E604', span, `\`checkpoint\` cannot stand in ${withArticle(kind)}`, {
      hint:
        kind === 'scan'
          ? 'steps are computed one after the other: put `checkpoint` before the call of the layer that has the scan'
          : '`checkpoint` stands before an assignment of a model or a layer',
    });
    return undefined;
  }
  if (next.kind === 'keyword') {
    cursor.diagnostics.error('E604', span, `\`checkpoint\` cannot stand before \`${next.text}\``, {
      hint: 'it stands before an assignment: `checkpoint h = x |> block`; an output can be named after it: `output h`',
    });
    return undefined;
  }
  return span;
}
