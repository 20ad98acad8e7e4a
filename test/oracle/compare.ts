/** Numbers against reference numbers. */

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** What differs, in one line, or nothing: |got - want| <= atol + rtol |want| for every element. */
export function difference(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { rtol, atol }: Tolerance,
): string | undefined {
  if (got.length !== want.length) return `${what}: ${got.length} values, expected ${want.length}`;
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < want.length; i++) {
    const over = Math.abs(got[i]! - want[i]!) - atol - rtol * Math.abs(want[i]!);
    if (!(over <= excess)) {
      worst = i;
      excess = Number.isNaN(over) ? Infinity : over;
    }
  }
  return worst < 0 ? undefined : `${what}[${worst}]: ${got[worst]}, expected ${want[worst]}`;
}
