/** The package as it is published, built and packed in a copy, so that tests that do so at the same time do not meet. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['package.json', 'README.md', 'LICENSE', 'bin', 'compiler', 'docs', 'runtime'];

/** Writes the tarball of the package into a folder. Its path. */
export function packInto(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'chainrule-packing-'));
  try {
    for (const name of [...SOURCES, 'tsconfig.json', 'tsconfig.build.json'])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const pack = ['pack', '--json', '--pack-destination', folder];
    const printed = execFileSync('npm', pack, {
      cwd: copy,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [packed] = JSON.parse(printed.slice(printed.indexOf('[\n'))) as [{ filename: string }];
    return join(folder, packed.filename);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
