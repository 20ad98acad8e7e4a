/**
 * @file The source map (ECMA-426) of an emitted module: from its lines to the user's text. Functions map to the statements that
 * they compute, calls in `createProgram` to the lines of the model, and all else that follows to the model's name, so that no
 * reader of maps takes it for a part of the function before it.
 *
 * There are no names in it: Node shows a name of the map instead of the function's own, and `forward_h` says more than `h`.
 */
import { addMapping, GenMapping, setSourceContent, toEncodedMap } from '@jridgewell/gen-mapping';
import { positionAt, type Source } from '../diagnostics/source.ts';
import type { Mark, Place, Section } from './sections.ts';
import { wordsOf } from './words.ts';

/** As it is written to a file, but for `file` and with the paths that the compiler was given in `sources`. */
export interface SourceMap {
  readonly version: 3;
  readonly sources: readonly string[];
  readonly sourcesContent: readonly string[];
  readonly names: readonly string[];
  readonly mappings: string;
}

/**
 * @param formatted the text of each section, as it stands in the module: with an empty line after it
 * @param model where what is of no statement comes from
 */
export function sourceMapOf(
  sections: readonly Section[],
  formatted: readonly string[],
  model: Place,
): SourceMap {
  const writer = new MapWriter();
  let line = 0;
  for (const [k, section] of sections.entries()) {
    const text = formatted[k] ?? '';
    const marks = section.marks();
    if (marks.length > 0) writer.marked(section.text, marks, text, line);
    else if (!writer.isEmpty) writer.unmarked(text, line, model);
    line += text.split('\n').length + 1;
  }
  return writer.finish();
}

class MapWriter {
  private readonly map = new GenMapping();
  private readonly sources = new Map<string, Source>();

  get isEmpty(): boolean {
    return this.sources.size === 0;
  }

  /** A mapping for each line of code, and one for each mark inside of a line. */
  marked(text: string, marks: readonly Mark[], formatted: string, from: number): void {
    const words = wordsOf(formatted);
    if (wordsOf(text).some((word, k) => word.text !== words[k]?.text))
      throw new Error('formatting has changed the words of an emitted section');
    const lines = formatted.split('\n');
    const isComment = commentLines(formatted);
    const [first] = marks;
    let place = first?.place;
    let mark = 0;
    let word = 0;
    for (const [line, code] of lines.entries()) {
      if (isComment.has(line)) continue;
      let mapped = false;
      for (; words[word]?.line === line; word++) {
        const next = marks[mark];
        if (next?.word === word) {
          place = next.place;
          mark++;
        }
        const column = mapped ? (words[word]?.column ?? 0) : indentOf(code);
        if (place !== undefined && (!mapped || next?.word === word)) this.add(from + line, column, place);
        mapped = true;
      }
      // a closing bracket
      if (!mapped && first !== undefined) this.add(from + line, indentOf(code), first.place);
    }
  }

  unmarked(formatted: string, from: number, place: Place): void {
    const [first] = wordsOf(formatted);
    if (first !== undefined) this.add(from + first.line, 0, place);
  }

  finish(): SourceMap {
    for (const [path, { text }] of this.sources) setSourceContent(this.map, path, text);
    const { names, mappings } = toEncodedMap(this.map);
    const sources = [...this.sources.values()];
    return {
      version: 3,
      sources: sources.map(({ path }) => path),
      sourcesContent: sources.map(({ text }) => text),
      names,
      mappings,
    };
  }

  private add(line: number, column: number, { source, offset }: Place): void {
    this.sources.set(source.path, source);
    const position = positionAt(source, offset);
    addMapping(this.map, {
      generated: { line: line + 1, column },
      source: source.path,
      original: { line: position.line, column: position.column - 1 },
    });
  }
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Empty lines, and those that are nothing but a comment. */
function commentLines(text: string): Set<number> {
  const found = new Set<number>();
  let inside = false;
  for (const [k, line] of text.split('\n').entries()) {
    const code = line.trim();
    if (code.startsWith('/*')) inside = true;
    if (inside || code === '' || code.startsWith('//')) found.add(k);
    if (code.endsWith('*/')) inside = false;
  }
  return found;
}
