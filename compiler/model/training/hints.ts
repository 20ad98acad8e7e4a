/** The hint of a name that is not known. */
import { didYouMean } from '../scope.ts';

/** { hint }: the nearest name if one is near, else all of them. To be spread into a diagnostic. */
export function knownNames(written: string, known: readonly string[]): { readonly hint?: string } {
  const nearest = didYouMean(written, known);
  if (nearest !== undefined) return { hint: nearest };
  return known.length === 0 ? {} : { hint: `known are ${known.join(', ')}` };
}
