/** @file A formula as lines of a page's width. */

/** Lines of a formula are not longer, and places stand under one another. */
export const WIDTH = 100;

/** A formula is not broken before this. */
const SHORTEST_LINE = 30;

/** A formula in lines of a page's width, broken before an operator: as far outside of brackets as it goes. */
export function wrapped(formula: string): string[] {
  const lines: string[] = [];
  let rest = formula;
  for (;;) {
    const end = rest.length <= WIDTH ? 0 : breakOf(rest);
    if (end === 0) return [...lines, rest];
    lines.push(rest.slice(0, end - 1));
    rest = `    ${rest.slice(end)}`;
  }
}

/** Where the next line begins; 0 if there is no such place. */
function breakOf(formula: string): number {
  let depth = 0;
  let best = 0;
  let least = Infinity;
  for (let at = 0; at < formula.length && (at < WIDTH || best === 0); at++) {
    const character = formula[at]!;
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    if (at <= SHORTEST_LINE || formula[at - 1] !== ' ') continue;
    if (!/^(?:[-+*/?:=]|[-+*]=|and|or|for) /.test(formula.slice(at, at + 4))) continue;
    // sums before products; of equal places, the last
    const rank = 2 * depth + (/[*/=f]/.test(formula.slice(at, at + 2)) ? 1 : 0);
    if (rank <= least) {
      least = rank;
      best = at;
    }
  }
  return best;
}
