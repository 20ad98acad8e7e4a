/** The package as it is published, built and packed in a copy, so that tests that do so at the same time do not meet. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
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

/** Installs it in a project, with what it depends on as it is here: without npm, which would fetch that anew. */
export function installPacked(project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  const tarball = packInto(project);
  execFileSync('tar', ['-xzf', tarball, '-C', modules]);
  renameSync(join(modules, 'package'), join(modules, 'chainrule'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== 'chainrule') symlinkSync(join(root, 'node_modules', name), join(modules, name));
}
