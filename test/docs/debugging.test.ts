/** What docs/DEBUGGING.md shows is what happens. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, type CompileOptions } from '../../compiler/index.ts';
import * as runtime from '../../runtime/index.ts';
import * as node from '../../runtime/node/index.ts';
import { loadModule } from '../support/load.ts';
import { blocksOf, pageOf, runSnippets } from './snippets.ts';

const page = pageOf('DEBUGGING.md');
const [model = ''] = blocksOf(page, 'dsl');
const [checking = '', tracing = '', writing = ''] = blocksOf(page, 'ts').filter((code) =>
  code.includes('rates'),
);
const [message = '', lines = ''] = blocksOf(page, 'text');

const run = async (code: string, options: CompileOptions) => {
  const { diagnostics, modules } = await compile({ path: 'rates.dsl', text: model }, options);
  expect(diagnostics).toEqual([]);
  const rates = loadModule(modules[0]!.text);
  return runSnippets(code, {
    modules: { './generated/rates.ts': rates, 'chainrule/runtime': runtime, 'chainrule/node': node },
  });
};

describe('docs/DEBUGGING.md', () => {
  it('shows what --checks says', async () => {
    const { logged } = await run(checking, { checks: true });
    expect(`${logged[0]![0]}\n`).toBe(message);
  });

  it('shows what --trace hands out', async () => {
    const { logged } = await run(tracing, { trace: true });
    const shown = logged.map((words) =>
      words.map((word) => (Array.isArray(word) ? `[${word}]` : String(word))).join(' '),
    );
    expect(shown).toEqual(lines.trimEnd().split('\n'));
  });

  it('writes a trace', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chainrule-trace-'));
    await run(writing.replace('runs/', `${folder}/`), { trace: true });
    rmSync(folder, { recursive: true });
  });
});
