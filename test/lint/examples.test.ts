import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import { loadImport } from '../../compiler/cli/files.ts';
import { blocksOf, pageOf } from '../docs/snippets.ts';
import { codesOf } from './support.ts';

/** The codes of the warnings of what may go wrong in training. */
const isLint = (code: string): boolean => /^W70[5-9]$/.test(code);

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.dsl'))
    .map((name) => `${folder}/${name}`);

describe('no model of ours is warned of', () => {
  it.each([...files('examples'), ...files('bench/models')])('%s', (path) => {
    const { diagnostics } = analyse({ path, text: readFileSync(path, 'utf8') }, { load: loadImport });
    expect(diagnostics).toEqual([]);
  });

  const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && name !== 'ERRORS.md');

  it.each(pages)('docs/%s', (page) => {
    const models = blocksOf(pageOf(page), 'dsl').filter((text) => /^model /m.test(text));
    expect(models.flatMap(codesOf).filter(isLint)).toEqual([]);
  });
});
