/** The library of the language, written in the language. */
import type { Source } from '../diagnostics/source.ts';
import { library } from './library.generated.ts';

const sources: readonly Source[] = library.map((source) => ({ ...source, library: true }));

/** The prelude's files, to be parsed before the user's; a definition of the user's shadows one of the same name here. */
export function preludeSources(): readonly Source[] {
  return sources;
}
