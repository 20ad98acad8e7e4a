/**
 * The compiler of a checkout: bundled from its sources, and anew when one of them has changed. To transpile some 200 files as
 * they are imported takes longer than to compile a model.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(new URL('..', import.meta.url));
const entry = fileURLToPath(new URL('main.ts', import.meta.url));
const cache = fileURLToPath(new URL('../../node_modules/.cache/chainrule', import.meta.url));

/** A bundle that nobody has made for so long is of sources that are gone. */
const oldest = 24 * 60 * 60 * 1000;

/** The path of the bundle's main module. @throws where it cannot be made or kept */
export async function bundledCompiler() {
  const folder = join(cache, fingerprint());
  const main = join(folder, 'main.js');
  if (existsSync(main)) return main;
  const { build } = await import('esbuild');
  const temporary = `${folder}.${process.pid}.tmp`;
  await build({
    entryPoints: [entry],
    outdir: temporary,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(new URL('main.ts', import.meta.url).href) },
    logLevel: 'silent',
  });
  forgetOld();
  try {
    renameSync(temporary, folder);
  } catch {
    // another process was first
    rmSync(temporary, { recursive: true, force: true });
  }
  return main;
}

/** Of the sources' names, sizes and times of change. */
function fingerprint() {
  const hash = createHash('sha256')
    .update(compiler)
    .update(readFileSync(fileURLToPath(import.meta.url)));
  for (const name of readdirSync(compiler, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!name.endsWith('.ts')) continue;
    const { size, mtimeMs } = statSync(join(compiler, name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

function forgetOld() {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > oldest)
      rmSync(path, { recursive: true, force: true });
  }
}
