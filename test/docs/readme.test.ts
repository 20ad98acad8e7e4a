/** The README shows what the compiler makes today, and names only what exists. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyse, textbookGradient } from '../../compiler/index.ts';
import { help } from '../../compiler/cli/options.ts';
import { emitGradient } from '../../compiler/emit/dsl.ts';
import { explain } from '../../compiler/explain/index.ts';
import { renderMarkdown } from '../../compiler/explain/markdown.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
const readme = read('README.md');

/** Without what is fenced: there brackets mean other things. */
const prose = readme.replaceAll(/```[\s\S]*?```/g, '');

/** The fenced block after a marker, without its fences. */
function block(marker: string): string {
  const after = readme.slice(readme.indexOf(marker));
  return /```\w*\n([\s\S]*?)```/.exec(after)?.[1] ?? '';
}

describe('README', () => {
  it('shows the model of examples/xor', () => {
    expect(read('examples/xor/xor.dsl')).toContain(block('`examples/xor/xor.dsl`'));
  });

  it('shows its gradient', () => {
    const { models } = analyse({ path: 'xor.dsl', text: read('examples/xor/xor.dsl') });
    expect(block('<!-- gradient of').trim()).not.toBe('');
    expect(emitGradient(textbookGradient(models[0]!))).toContain(block('<!-- gradient of'));
  });

  it('shows the loop of a function of generated/xor.ts', () => {
    const atTheMargin = (text: string): string => text.replaceAll(/^ +/gm, '').trim();
    expect(block('<!-- from generated').trim()).not.toBe('');
    expect(atTheMargin(read('generated/xor.ts'))).toContain(atTheMargin(block('<!-- from generated')));
  });

  it('shows what is explained of a statement', async () => {
    const { explanations } = await explain({ path: 'xor.dsl', text: read('examples/xor/xor.dsl') });
    const [, shown = ''] = /<!-- explanation of .*? -->\n\n([^]*?)\n\n<!-- end -->/.exec(readme) ?? [];
    expect(shown.match(/```math/g)).toHaveLength(2);
    const parts = shown.split(/\n\n/);
    const text = renderMarkdown(explanations[0]!);
    expect(parts.filter((part) => !text.includes(part))).toEqual([]);
  });

  it('has every option of the command line in its table, and no other', () => {
    const named = (text: string): string[] => [...text.matchAll(/--([a-z-]+)/g)].map(([, name = '']) => name);
    const rows = readme.split('\n').filter((line) => /^\| .*`--/.test(line));
    const options = help.split('\n').filter((line) => /^ +(-\w, )? *--/.test(line));
    expect(rows.map((row) => named(row)[0])).toEqual(options.map((option) => named(option)[0]));
  });

  it('has every option of the command line in its table, and no other', () => {
    const named = (text: string): string[] => [...text.matchAll(/--([a-z-]+)/g)].map(([, name = '']) => name);
    const rows = readme.split('\n').filter((line) => /^\| .*`--/.test(line));
    const options = help.split('\n').filter((line) => /^ +(-\w, )? *--/.test(line));
    expect(rows.map((row) => named(row)[0])).toEqual(options.map((option) => named(option)[0]));
  });

  it('links to files and names npm scripts that exist', () => {
    for (const [, path] of prose.matchAll(/\]\(([^)#]+)\)/g))
      expect(existsSync(`${root}/${path}`), path).toBe(true);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, script] of readme.matchAll(/npm run ([\w:-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
    for (const [, script] of readme.matchAll(/\| `([\w-]+)` \|$/gm))
      expect(Object.keys(scripts)).toContain(script);
  });
});

it('the version is that of package.json', async () => {
  const { VERSION } = await import('../../compiler/version.ts');
  expect(VERSION).toBe((JSON.parse(read('package.json')) as { version: string }).version);
});
