/** Builds the page with esbuild and serves it on this machine, under a policy that forbids `eval` and foreign hosts. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const POLICY = "default-src 'self'";

const folder = fileURLToPath(new URL('.', import.meta.url));
const digits = fileURLToPath(new URL('../digits/data/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * What the page asks for, by its name.
 * @param from where its programs are, and `runtime` what they import of chainrule: its sources, or the package that is installed there
 */
export async function buildPage(
  from = folder,
  runtime: 'sources' | 'package' = 'sources',
): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: ['main.ts', 'worker.ts'],
    absWorkingDir: from,
    outdir: '.',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: runtime === 'sources' ? ['chainrule-source'] : [],
    write: false,
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [relative(from, path), contents]));
  for (const name of ['index.html', 'style.css', 'icon.svg'])
    files.set(name, readFileSync(`${folder}${name}`));
  for (const part of ['train', 't10k'])
    for (const [kind, rank] of Object.entries({ images: 3, labels: 1 }))
      files.set(`digits/${part}-${kind}`, readFileSync(`${digits}${part}-${kind}-idx${rank}-ubyte.gz`));
  return files;
}

/** Serves on the loopback address; port 0 takes any that is free. */
export async function serve(files: ReadonlyMap<string, Uint8Array>, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    const content = files.get(name === '' ? 'index.html' : name);
    response.writeHead(content === undefined ? 404 : 200, {
      'content-security-policy': POLICY,
      'content-type': TYPES[extname(name === '' ? 'index.html' : name)] ?? 'application/octet-stream',
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve(await buildPage(), 8080);
  console.log('http://localhost:8080');
}
