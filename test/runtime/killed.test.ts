/** A process is killed while it saves, at many moments: either the old or the new file is there, and whole. */
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCheckpoint } from '../../runtime/formats/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'chainrule-killed-'));
const script = join(folder, 'save-forever.mjs');
const file = join(folder, 'training.ckpt');
const KILLS = 20;

beforeAll(() =>
  build({
    entryPoints: [fileURLToPath(new URL('./save-forever.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['chainrule-source'],
    outfile: script,
  }),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it(`is killed ${KILLS} times`, async () => {
  let newest = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [script, file, String(newest + 1)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    child.kill('SIGKILL');
    expect((await gone)[1]).toBe('SIGKILL');

    const { step, arrays } = readCheckpoint(readFileSync(file));
    expect(step).toBeGreaterThan(newest);
    const { data } = arrays['weights/W']!;
    expect(data.length).toBe(100_000 + 50_000 * (step % 7));
    expect(data.every((value) => value === step)).toBe(true);
    newest = step;
  }
  // it was killed in the midst of writing, not only between two files
  const unfinished = readdirSync(folder).filter((name) => name.endsWith('.tmp'));
  expect(unfinished.length).toBeGreaterThan(0);
});
