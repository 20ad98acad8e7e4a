/** "Did you mean": the known name nearest to what was written. */

/** The nearest of `known` within a third of its length in edits, or undefined. */
export function nearestName(written: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const name of known) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.ceil(name.length / 3))) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** { hint } with the nearest name, else the list of all; to be spread into a diagnostic. */
export function didYouMean(written: string, known: Iterable<string>): { hint: string } {
  const names = [...known];
  const nearest = nearestName(written, names);
  return { hint: nearest === undefined ? `known are ${names.join(', ')}` : `did you mean '${nearest}'?` };
}

/** Insertions, deletions and changes of one letter each (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
