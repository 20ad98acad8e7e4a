/** What a page downloads: the trainer of `digits` with the runtime, as esbuild makes one file of them. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Bytes after minify and gzip -9 of a page that imports this of a generated module. */
async function bytesOf(name: string, module: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${name} } from './generated/${module}.ts';`, resolveDir: root },
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
  ['the trainer of digits', 'createTrainer', 'digits', 12_000],
  ['its predictor', 'createPredictor', 'digits.inference', 4900],
])('%s', async (what, name, module, most) => {
  const bytes = await bytesOf(name, module);
  console.log(`${what}: ${bytes} bytes, minified and gzipped`);
  expect(bytes).toBeLessThanOrEqual(most);
});
