/** @file Where statements come from, as comments show it. */
import { placeOf } from '../diagnostics/source.ts';
import type { Origin } from './types.ts';

/** Said of a cotangent: it is by the sum that a function is applied to in the statement of `owner`. */
export const insideOf = (owner: string): string => `by the sum inside of ${owner}`;

/** The owner, if a step of a statement's history says that. */
export const ownerInside = (step: string): string | undefined =>
  step.startsWith(insideOf('')) ? step.slice(insideOf('').length) : undefined;

/** More places of one kind are counted. */
const MOST_PLACES = 6;

/** `lenet.dsl:12 (layers.dsl:7)`: the line of the model and, in brackets, that of the layer which it calls. */
export function placeOfOrigin(origin: Origin): string {
  return placesOfOrigins([origin]);
}

/**
 * The same for statements that are equal but for where they come from:
 * `gpt.dsl:41-44 (gpt.dsl:11, 12), gpt.dsl:46 (layers.dsl:7)`.
 */
export function placesOfOrigins(origins: readonly Origin[]): string {
  const callsOf = new Map<string, string[]>();
  for (const { calls, span } of origins) {
    const [call] = calls;
    const layer = call === undefined ? '' : placeOf(span);
    callsOf.set(layer, [...(callsOf.get(layer) ?? []), placeOf(call ?? span)]);
  }
  const layersOf = new Map<string, string[]>();
  for (const [layer, calls] of callsOf) {
    const list = placeList(calls);
    layersOf.set(list, [...(layersOf.get(list) ?? []), layer]);
  }
  return [...layersOf]
    .flatMap(([calls, layers]) => {
      const named = layers.filter((layer) => layer !== '');
      return [...(named.length < layers.length ? [calls] : []), ...inBrackets(calls, named)];
    })
    .join(', ');
}

function inBrackets(calls: string, layers: readonly string[]): string[] {
  return layers.length === 0 ? [] : [`${calls} (${placeList(layers)})`];
}

/** `a.dsl:3, 5-8, b.dsl:2`: each file once, its lines in their order, neighbours joined. */
function placeList(places: readonly string[]): string {
  const linesOf = new Map<string, Set<number>>();
  for (const place of places) {
    const colon = place.lastIndexOf(':');
    const file = place.slice(0, colon);
    linesOf.set(file, (linesOf.get(file) ?? new Set()).add(Number(place.slice(colon + 1))));
  }
  return [...linesOf].map(([file, lines]) => `${file}:${lineList([...lines])}`).join(', ');
}

function lineList(lines: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const line of lines.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && line === run.last + 1) run.last = line;
    else runs.push({ first: line, last: line });
  }
  const shown = runs
    .slice(0, MOST_PLACES)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return shown.join(', ') + (runs.length > MOST_PLACES ? ` and ${runs.length - MOST_PLACES} more` : '');
}
