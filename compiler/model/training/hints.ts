/** The hint of a name that is not known. */
import { closest } from '../../diagnostics/suggest.ts';

/** { hint }: the nearest name if one is near, one that begins so (`glorot`), else all of them. To be spread into a diagnostic. */
export function knownNames(written: string, known: readonly string[]): { readonly hint?: string } {
  const isStart = (name: string) => written.length > 1 && name.startsWith(`${written}_`);
  const nearest = closest(written, known) ?? known.find(isStart);
  if (nearest !== undefined) return { hint: `did you mean \`${nearest}\`?` };
  return known.length === 0 ? {} : { hint: `known are ${known.map((name) => `\`${name}\``).join(', ')}` };
}
