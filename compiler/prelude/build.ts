/** Writes library.generated.ts, the prelude as strings, from the .dsl files beside it. Run by `npm run prelude`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderLibrary } from './render.ts';

const folder = dirname(fileURLToPath(import.meta.url));
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.dsl'))
  .toSorted()
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
writeFileSync(join(folder, 'library.generated.ts'), renderLibrary(files));
