/**
 * @file The words of a TypeScript text: identifiers and keywords, outside of comments and strings. Formatting moves them and
 * puts brackets, commas and quotes around them, but leaves them as they are and in their order, so that the k-th word of a
 * text is the k-th of the formatted text.
 */

export interface Word {
  readonly text: string;
  /** Both counted from 0, in UTF-16 units. */
  readonly line: number;
  readonly column: number;
}

const TOKEN =
  /\/\/[^\n]*|\/\*[^]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[^])*`|\d[\w.]*(?:(?<=[eE])[+-]\d+)?|([A-Za-z_$][\w$]*)/g;

export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let line = 0;
  let lineStart = 0;
  for (const { 1: word, index } of text.matchAll(TOKEN)) {
    if (word === undefined) continue;
    for (
      let end = text.indexOf('\n', lineStart);
      end !== -1 && end < index;
      end = text.indexOf('\n', lineStart)
    ) {
      line++;
      lineStart = end + 1;
    }
    words.push({ text: word, line, column: index - lineStart });
  }
  return words;
}
