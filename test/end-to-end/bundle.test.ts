/** What a page downloads: the trainer of `digits` with the runtime, as esbuild makes one file of them. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Bytes after minify and gzip -9 of what a page imports of a generated module. */
async function bytesOf(imported: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${imported} }`.replace(/ from (.*) }$/, ' } from $1'), resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['chainrule-source'],
    write: false,
    logLevel: 'silent',
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

it.each([
  ['the trainer of digits', "createTrainer from './generated/digits.ts'", 12_000],
  ['its predictor', "createPredictor from './generated/digits.inference.ts'", 4_000],
])('%s', async (what, imported, most) => {
  const bytes = await bytesOf(imported);
  console.log(`${what}: ${bytes} bytes, minified and gzipped`);
  expect(bytes).toBeLessThanOrEqual(most);
});
