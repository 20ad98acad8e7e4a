/** TypeScript's own view of a text. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What TypeScript finds in a file of this text, at its strictest; the text imports nothing. */
export function strictErrors(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'chainrule-strict-'));
  const file = join(folder, 'alone.ts');
  writeFileSync(file, text);
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const flags =
    '--ignoreConfig --noEmit --strict --noUncheckedIndexedAccess --noUnusedLocals --noUnusedParameters ' +
    '--target es2022 --lib es2023,dom --types';
  const { stdout } = spawnSync(process.execPath, [tsc, ...flags.split(' '), '', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return stdout;
}
