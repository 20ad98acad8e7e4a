/** `derivative f(x) = ...` at the top of a file. */
import type { Cursor } from './cursor.ts';
import { parseExpression } from './expressions.ts';
import { definedName, parseParameters } from './heads.ts';
import { lastValue, whole } from './statements.ts';
import type { Token } from './tokens.ts';
import type { DerivativeDefinition, SyntaxExpression } from './tree.ts';

/** `derivative` is no reserved word: it stands before a name on its line, where nothing else begins so. */
export const beginsDerivative = (token: Token, next: Token): boolean =>
  token.kind === 'name' && token.text === 'derivative' && next.kind === 'name' && !next.first;

/** `derivative scaled(x, a) = a, x` */
export function parseDerivative(cursor: Cursor): DerivativeDefinition {
  const { start } = cursor.advance();
  const name = definedName(cursor, 'a function');
  const parameters = parseParameters(cursor, false);
  cursor.expect('=', 'and the derivative', 'for example `derivative square(x) = 2 * x`');
  const values: SyntaxExpression[] = [];
  const last = lastValue(cursor, 'an expression', (here) => {
    let value = parseExpression(here);
    while (here.take(',')) {
      values.push(value);
      value = parseExpression(here);
    }
    return value;
  });
  values.push(last);
  return { kind: 'derivative', name, parameters, values, span: whole(cursor, start, last) };
}
