/** docs/PERFORMANCE.md names only what exists. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { help } from '../../compiler/cli/options.ts';
import { switchable } from '../../compiler/index.ts';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const page = readFileSync(`${docs}/PERFORMANCE.md`, 'utf8');

describe('PERFORMANCE.md', () => {
  it('names options of the command line, and passes, that exist', () => {
    const others = ['cpu-prof', 'no-install'];
    for (const [, option = ''] of page.matchAll(/--([a-z][a-z-]+)/g))
      if (!others.includes(option)) expect(help, option).toContain(`--${option}`);
    for (const [, name = ''] of page.matchAll(/--no-pass ([a-z]+)/g)) expect(switchable).toContain(name);
    expect(switchable).toContain('stabilise');
  });

  it('links to files that exist', () => {
    for (const [, path = ''] of page.matchAll(/\]\(([^)#]+)\)/g))
      expect(existsSync(`${docs}/${path}`), path).toBe(true);
  });
});
