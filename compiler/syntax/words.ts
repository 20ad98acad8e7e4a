/** The words and symbols of a part of a text, for places inside of a statement: no comment and no string is taken for one. */
import { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Source, Span } from '../diagnostics/source.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './tokens.ts';

const known = new WeakMap<Source, readonly Token[]>();

/** The tokens that lie wholly in the span. What is no token has been reported where the text was parsed. */
export function tokensIn({ source, start, end }: Span): readonly Token[] {
  const all = known.get(source) ?? tokenize(source, new Diagnostics());
  known.set(source, all);
  return all.filter((token) => token.start >= start && token.end <= end && token.kind !== 'eof');
}
