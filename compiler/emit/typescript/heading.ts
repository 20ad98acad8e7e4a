/** @file What stands above a function: its mathematics, the places in the model, and what it serves. */
import { placesOfOrigins } from '../../graph/origin.ts';
import { printStatement, scanHeader } from '../../graph/print.ts';
import { withScanIndex } from '../../graph/scan.ts';
import type { Program } from '../../graph/types.ts';
import type { LoopFunction } from '../../schedule/types.ts';
import { commentLines, proseLines } from './functions.ts';
import { identifier } from './names.ts';

/** Longer formulas are cut: nobody reads them, and a line of a megabyte hurts every tool. */
const FORMULA_LIMIT = 400;

/** Lines of a formula are not longer, and places stand under one another. */
const PLACE_COLUMN = 100;

/** A longer place, one of many calls, stands below its formula. */
const LONGEST_PLACE = 36;

/** A formula is not broken before this. */
const SHORTEST_LINE = 30;

/** The mathematics and the places in the model. */
export function heading(each: LoopFunction, program: Program): string {
  const around = { tensors: each.tensors ?? program.tensors };
  const scan = scanHeader(each.computes);
  const index = each.computes[0]?.scan?.index ?? '';
  const indent = scan === '' ? '' : '  ';
  const formulas = each.computes.map((statement) => {
    const formula = printStatement(withScanIndex(statement, index), around);
    const cut = formula.length > FORMULA_LIMIT ? `${formula.slice(0, FORMULA_LIMIT)} ...` : formula;
    return wrapped(cut).map((line) => indent + line);
  });
  const width = Math.max(0, ...formulas.map((lines) => lines.at(-1)?.length ?? 0));
  const lines = each.computes.flatMap((statement, k) => {
    const [last = '', ...before] = formulas[k]!.toReversed();
    const uses = (each.uses ?? []).flatMap((use) => use[k]?.origin ?? []);
    const place = placesOfOrigins(uses.length === 0 ? [statement.origin] : uses);
    const formula = [...before.toReversed(), last];
    return place.length > LONGEST_PLACE
      ? [...formula.flatMap(commentLines), ...proseLines(`    ${place}`)]
      : [...formula.slice(0, -1), `${last.padEnd(width)}      ${place}`].flatMap(commentLines);
  });
  return [
    ...(each.documentation === undefined ? [] : proseLines(each.documentation)),
    ...(scan === '' ? [] : commentLines(scan)),
    ...lines,
    ...usesOf(each),
  ].join('\n');
}

/** A formula in lines of a page's width, broken before an operator: as far outside of brackets as it goes. */
function wrapped(formula: string): string[] {
  if (formula.length <= PLACE_COLUMN) return [formula];
  let depth = 0;
  let best = 0;
  let least = Infinity;
  for (let at = 0; at < Math.min(formula.length, PLACE_COLUMN); at++) {
    if ('([{'.includes(formula[at]!)) depth++;
    if (')]}'.includes(formula[at]!)) depth--;
    const breaks = at > SHORTEST_LINE && / [-+*/?:] $/.test(formula.slice(at - 1, at + 2));
    // sums before products; of equal places, the last
    const rank = 2 * depth + ('*/'.includes(formula[at]!) ? 1 : 0);
    if (breaks && rank <= least) {
      least = rank;
      best = at;
    }
  }
  if (best === 0) return [formula];
  return [formula.slice(0, best - 1), ...wrapped(`    ${formula.slice(best)}`)];
}

/** Names are listed as far as they fit into two lines or so; the lists of calls have them all. */
const MOST_USES = 200;

/** What the model calls the results, where the function has another name for them or serves several. */
function usesOf({ computes, buffers, uses = [] }: LoopFunction): string[] {
  const handedIn = new Set(buffers.map(({ name }) => name));
  return computes.flatMap(({ target }, k) => {
    if (!handedIn.has(identifier(target))) return [];
    const results = uses.flatMap((use) => use[k] ?? []);
    if (results.every(({ tensor }) => tensor === target)) return [];
    const all = results.map(({ tensor }) => tensor);
    let shown = all;
    while (shown.length > 2 && shown.join(', ').length > MOST_USES) shown = shown.slice(0, -1);
    const rest = all.length - shown.length;
    const list = rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
    return proseLines(`${target} stands for ${list}`);
  });
}
