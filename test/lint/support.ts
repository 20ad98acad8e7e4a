import { analyse, toJson } from '../../compiler/index.ts';

/** The codes of all that the compiler reports of a text. */
export const codesOf = (text: string): string[] =>
  analyse({ path: 'model.dsl', text }).diagnostics.map(({ code }) => code);

/** The first message, and the text that it underlines. */
export function firstOf(text: string): { readonly message: string; readonly underlined: string } {
  const { diagnostics } = analyse({ path: 'model.dsl', text });
  const [first] = diagnostics;
  if (first === undefined) throw new Error('nothing is reported');
  const { span } = first;
  return {
    message: toJson(diagnostics)[0]!.message,
    underlined: span.source.text.slice(span.start, span.end),
  };
}
