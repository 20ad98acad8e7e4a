/** Did you mean ...? */

/**
 * The candidate that is nearest to a misspelt name, if one is near enough to be meant: the number of insertions,
 * deletions, replacements and swaps of neighbours (Damerau 1964; the restricted distance) is at most 1 for names of
 * up to five letters, 2 up to eight, 3 beyond; letters of the wrong case count less. Of equals one of
 * the same length, or that goes on where the name ends, wins, else the first.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  const allowed = name.length < 2 ? 0 : name.length <= 5 ? 1 : name.length <= 8 ? 2 : 3;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) > allowed) continue;
    const sameButCase = candidate.toLowerCase() === name.toLowerCase();
    // Of two that are as near the one of the same length, or that goes on, is meant: tahn is tanh, not tan; unit is units.
    const unequal = candidate.length === name.length || candidate.startsWith(name) ? 0 : 0.25;
    const distance = sameButCase ? 0.5 : editDistance(name, candidate);
    // A distance that replaces the whole word is no resemblance.
    const isNear = sameButCase || (distance <= allowed && distance < Math.min(name.length, candidate.length));
    if (isNear && distance + unequal < bestDistance) {
      best = candidate;
      bestDistance = distance + unequal;
    }
  }
  return best;
}

/** The restricted Damerau–Levenshtein distance, in O(|a| |b|) time and three rows. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = a[row - 1] === b[column - 1] ? 0 : 1;
      let distance = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + replaced,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
