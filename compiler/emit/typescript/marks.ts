/** @file Which words of an emitted section come from which place of the model: for source maps. */
import type { Origin } from '../../graph/types.ts';
import type { LoopFunction, Result, Step } from '../../schedule/types.ts';
import { innermostPlace, outermostPlace } from '../sections.ts';
import type { Mark, Place } from '../sections.ts';
import { wordsOf } from '../words.ts';
import type { FunctionText } from './functions.ts';
import { identifier } from './names.ts';

/**
 * Of a function: each line is marked with the statement that it is a part of, where that is computed first. What has no line,
 * since it is only a value in another one's or another use of the function, has a word of the head, so that a breakpoint finds
 * the function. A kernel has no marks.
 */
export function marksOfFunction(
  { computes, uses = [] }: LoopFunction,
  name: string,
  text: FunctionText,
  model: Place,
): Mark[] {
  if (computes.length === 0) return [];
  const placesIn = (use?: readonly Result[]): Place[] =>
    computes.map((each, k) => innermostPlace(each, use?.[k]?.origin ?? each.origin) ?? model);
  const own = placesIn(uses[0]);
  const places = new Map(computes.map(({ target }, k) => [target, own[k] ?? model]));
  const [first = model] = own;
  const marks: Mark[] = [{ word: 0, place: first }];
  const parameters = wordsOf(`${text.parameters}: void`).length;
  const head = wordsOf(`export function ${name}`).length + parameters;
  const known = new Set(
    [first, ...text.targets.map((target) => places.get(target ?? '') ?? first)].map(keyOf),
  );
  for (const place of [...own, ...uses.flatMap(placesIn)]) {
    if (known.has(keyOf(place)) || marks.length >= head - 1) continue;
    known.add(keyOf(place));
    marks.push({ word: marks.length, place });
  }
  if (marks.length > 1) marks.push({ word: marks.length, place: first });
  for (const [line, before] of firstWords(text.text))
    if (line > 0) {
      const target = text.targets[line - 1] ?? '';
      marks.push({ word: head - parameters + before, place: places.get(target) ?? first });
    }
  return marks;
}

/** Of a list of calls: the lines that `places` knows are marked with the line of the model, all others with `other`. */
export function marksOfCalls(section: string, places: ReadonlyMap<string, Place>, other: Place): Mark[] {
  const lines = section.split('\n');
  return [...firstWords(section)].map(([line, word]) => ({
    word,
    place: places.get(lines[line]?.trim() ?? '') ?? other,
  }));
}

const keyOf = ({ source, offset }: Place): string => `${offset} ${source.path}`;

/** Line -> its first word, of the lines that have any. */
function firstWords(text: string): Map<number, number> {
  const first = new Map<number, number>();
  for (const [k, { line }] of wordsOf(text).entries()) if (!first.has(line)) first.set(line, k);
  return first;
}

/** Where a call of a function comes from in the model. */
export function placeOfCall({ computes, uses = [], buffers }: LoopFunction, step: Step): Place | undefined {
  const last = computes.at(-1);
  if (last === undefined) return undefined;
  const position = buffers.findIndex(({ name }) => name === identifier(last.target));
  const tensor = step.buffers[position];
  const use = uses.find((results) => results.at(-1)?.tensor === tensor) ?? uses[0];
  const origin: Origin = use?.at(-1)?.origin ?? last.origin;
  return outermostPlace(origin);
}
