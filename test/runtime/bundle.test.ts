/** What a page loads: readers and metrics need nothing of Node, and only what is imported is in the bundle. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function bundle(code: string): Promise<{ readonly text: string; readonly bytes: number }> {
  const { outputFiles, warnings } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['chainrule-source'],
  });
  expect(warnings).toEqual([]);
  const { text } = outputFiles[0]!;
  return { text, bytes: gzipSync(text, { level: 9 }).length };
}

describe('a bundle for a page', () => {
  it.each(['data', 'metrics', 'report', 'runtime'])(
    'of chainrule/%s needs nothing of Node',
    async (entry) => {
      const { text } = await bundle(`export * from 'chainrule/${entry}';`);
      expect(text).not.toMatch(/["']node:/);
      expect(text).not.toMatch(/\beval\(|new Function\(/);
    },
  );

  it('has only what is imported', async () => {
    expect((await bundle(`export { auc } from 'chainrule/metrics';`)).bytes).toBeLessThan(1500);
    expect((await bundle(`export { split } from 'chainrule/data';`)).bytes).toBeLessThan(3000);
    expect((await bundle(`export { readIdx } from 'chainrule/data';`)).bytes).toBeLessThan(4000);
    const trainer = await bundle(`export { makeTrainer } from 'chainrule/runtime';`);
    expect(trainer.text).not.toContain('UndetectableDelimiter'); // a word of papaparse
  });
});
