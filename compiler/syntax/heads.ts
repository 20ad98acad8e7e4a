/** The heads of definitions: names, parameters, what a function binds; and imports, which are nothing else. */
import type { Cursor } from './cursor.ts';
import { parseExpression, parseList } from './expressions.ts';
import { parseAxes } from './declarations.ts';
import type { ImportDeclaration, Name, Parameter } from './tree.ts';

/** `import "layers.dsl"` */
export function parseImport(cursor: Cursor): ImportDeclaration | undefined {
  const { start } = cursor.advance();
  const token = cursor.current;
  if (token.kind !== 'string') cursor.expected('the path of a file in quotes');
  else cursor.advance();
  const span = cursor.span(start);
  const isWhole = !cursor.isLost;
  cursor.finishStatement('an import');
  if (!isWhole) return undefined;
  return { kind: 'import', path: { kind: 'string', value: token.text, span: cursor.spanOf(token) }, span };
}

/** The name of a definition; empty after a report. */
export function definedName(cursor: Cursor, what: string): Name {
  const { lastEnd } = cursor;
  return cursor.expectName(`the name of ${what}`) ?? { text: '', span: cursor.span(lastEnd, lastEnd) };
}

/** `[k]` in `fn softmax[k](z) = ...` */
export function parseBinder(cursor: Cursor): { binder?: Name } {
  if (!cursor.at('[')) return {};
  const open = cursor.current;
  const names = parseList(cursor, () => cursor.expectName('the name of an index'), 'an index');
  if (names.length !== 1) {
    cursor.fail('a function binds one index', {
      span: cursor.span(open.start),
      hint: '`fn softmax[k](z) = ...`',
    });
  }
  const [binder] = names;
  return binder === undefined ? {} : { binder };
}

/** `(x[.., i], units, rate = 1e-3)` */
export function parseParameters(cursor: Cursor, tensors: boolean): Parameter[] {
  if (!cursor.at('(')) {
    cursor.expected('`(` and the parameters');
    return [];
  }
  const parseParameter = (): Parameter | undefined => {
    const { start } = cursor.current;
    const name = cursor.expectName('the name of a parameter');
    if (name === undefined) return undefined;
    if (!tensors && cursor.at('[')) cursor.fail('only the parameters of a layer have axes');
    const axes = cursor.at('[') ? parseAxes(cursor, { rest: true, any: true }) : undefined;
    const value = cursor.take('=') ? parseExpression(cursor) : undefined;
    return {
      name,
      ...(axes === undefined ? {} : { axes }),
      ...(value === undefined ? {} : { default: value }),
      span: cursor.span(start),
    };
  };
  return parseList(cursor, parseParameter, 'a parameter');
}
