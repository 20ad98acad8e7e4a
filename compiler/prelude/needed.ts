/**
 * The part of the library that a model can use: the definitions whose names stand in its text, and those that these name. The
 * rest is left blank, line for line, so that places stay right: most of the library is never parsed.
 */
import type { Source } from '../diagnostics/source.ts';
import { preludeSources } from './index.ts';

interface Definition {
  readonly name: string;
  readonly source: Source;
  /** Places in the text, to the beginning of the next definition. */
  readonly from: number;
  readonly to: number;
  readonly words: ReadonlySet<string>;
}

let all: ReadonlyMap<string, readonly Definition[]> | undefined;

/** @param texts those of the model's file and of what it imports */
export function neededPrelude(texts: readonly string[]): Source[] {
  all ??= definitionsByName();
  const needed = new Set<Definition>();
  const pending = texts.flatMap((text) => [...wordsIn(text)]);
  for (let word = pending.pop(); word !== undefined; word = pending.pop()) {
    for (const definition of all.get(word) ?? []) {
      if (needed.has(definition)) continue;
      needed.add(definition);
      pending.push(...definition.words);
    }
  }
  return preludeSources().flatMap((source) => {
    const own = [...needed].filter((definition) => definition.source === source);
    return own.length === 0 ? [] : [{ ...source, text: onlyThese(source.text, own) }];
  });
}

function definitionsByName(): Map<string, Definition[]> {
  const found = new Map<string, Definition[]>();
  for (const source of preludeSources()) {
    const heads = [...source.text.matchAll(/^(?:fn|derivative|layer|optimizer|schedule) +(\w+)/gm)];
    heads.forEach(({ 1: name = '', index }, place) => {
      const to = heads[place + 1]?.index ?? source.text.length;
      const words = wordsIn(source.text.slice(index, to));
      found.set(name, [...(found.get(name) ?? []), { name, source, from: index, to, words }]);
    });
  }
  return found;
}

const wordsIn = (text: string): Set<string> => new Set(text.match(/[A-Za-z_]\w*/g));

function onlyThese(text: string, definitions: readonly Definition[]): string {
  let kept = '';
  let at = 0;
  for (const { from, to } of definitions.toSorted((a, b) => a.from - b.from)) {
    kept += blank(text.slice(at, from)) + text.slice(from, to);
    at = to;
  }
  return kept;
}

const blank = (text: string): string => text.replace(/[^\n]+/g, '');
