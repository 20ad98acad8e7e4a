/** The TypeScript of docs/FILES.md runs, in its order, as one module; its Python is test/fixtures/make-files.py. */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { blocksOf, pageOf, promisedBy } from './snippets.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the snippets of docs/FILES.md run and print what they say', async () => {
  const snippets = blocksOf(pageOf('FILES.md'), 'ts');
  expect(snippets.length).toBe(5);
  const data = 'const data = { x: new Float32Array(128 * 784).fill(0.5), label: new Int32Array(128) };';
  await build({
    stdin: { contents: [data, ...snippets].join('\n'), resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['chainrule-source'],
    outfile: join(folder, 'snippets.mjs'),
  });
  const printed = execFileSync(process.execPath, ['snippets.mjs'], { cwd: folder, encoding: 'utf8' });
  expect(printed.replaceAll(/\s+/g, ' ').trim()).toBe(promisedBy(snippets.join('')).join(' '));
  expect(
    readdirSync(folder)
      .filter((name) => name.startsWith('digits'))
      .toSorted(),
  ).toEqual(['digits.ckpt', 'digits.npz', 'digits.safetensors']);
});
