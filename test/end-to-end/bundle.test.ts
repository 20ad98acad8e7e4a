/**
 * What a page downloads: the trainer of `digits` with the runtime, as esbuild makes one file of them. Callbacks, snapshots,
 * reports and formats are not in it unless the page imports them.
 */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page that exports this and nothing else, minified. */
async function pageWith(...exports: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: exports.map((each) => `export ${each};`).join('\n'), resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['chainrule-source'],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

const TRAINER = `{ createTrainer } from './generated/digits.ts'`;
const PREDICTOR = `{ createPredictor } from './generated/digits.inference.ts'`;

it.each([
  ['the trainer of digits', TRAINER, 12_000],
  ['its predictor', PREDICTOR, 4900],
])('%s', async (what, module, most) => {
  const bytes = gzipSync(await pageWith(module), { level: 9 }).length;
  console.log(`${what}: ${bytes} bytes, minified and gzipped`);
  expect(bytes).toBeLessThanOrEqual(most);
});

it('what reads and sets whole trainings is in the pages that ask for it', async () => {
  const mark = 'chainrule training';
  expect(await pageWith(TRAINER)).not.toContain(mark);
  expect(await pageWith(TRAINER, `{ getTraining } from 'chainrule/runtime'`)).toContain(mark);
});
