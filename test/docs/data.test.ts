/** Every snippet of docs/DATA.md is run, and prints what the comments after `console.log` say. */
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import * as data from 'chainrule/data';
import * as metrics from 'chainrule/metrics';
import * as node from 'chainrule/node';
import * as runtime from 'chainrule/runtime';
import * as xor from '../../generated/xor.ts';

const modules: Readonly<Record<string, object>> = {
  'chainrule/data': data,
  'chainrule/metrics': metrics,
  'chainrule/node': node,
  'chainrule/runtime': runtime,
  './generated/xor.ts': xor,
};

const page = readFileSync(new URL('../../docs/DATA.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/^## (.*)$|^```ts\n([^]*?)^```$/gm)].reduce<
  { title: string; code: string }[]
>((found, [, title, code]) => {
  if (title !== undefined) found.push({ title, code: '' });
  else found.at(-1)!.code = code ?? '';
  return found;
}, []);

/** Runs a module's text; what it logs, one text a call. */
async function logged(code: string): Promise<string[]> {
  const lines: string[] = [];
  const log = (...values: unknown[]): void => {
    lines.push(values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' '));
  };
  const imports = [...code.matchAll(/^import \{ (.*) \} from '(.*)';$/gm)];
  const names = imports.flatMap(([, list, from]) =>
    list!.split(', ').map((name) => {
      const module = Object.entries(modules[from!] ?? {});
      const entry = module.find(([own]) => own === name);
      if (entry === undefined) throw new Error(`${from} has no '${name}'`);
      return entry;
    }),
  );
  const body = transformSync(`async function run() {${code.replaceAll(/^import .*$/gm, '')}}`, {
    loader: 'ts',
  });
  const run = new Function('console', ...names.map(([name]) => name), `${body.code}; return run();`) as (
    ...values: unknown[]
  ) => Promise<void>;
  await run({ log }, ...names.map(([, value]) => value as unknown));
  return lines;
}

describe('docs/DATA.md', () => {
  it.each(snippets.filter(({ code }) => code !== ''))('$title', async ({ code }) => {
    const wanted = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, words]) => words);
    expect(wanted).not.toEqual([]);
    expect(await logged(code)).toEqual(wanted);
  });

  it('has a snippet in every section', () => {
    expect(snippets.map(({ title, code }) => [title, code !== ''])).toEqual(
      snippets.map(({ title }) => [title, true]),
    );
    expect(snippets.length).toBeGreaterThan(6);
  });

  it('names everything that chainrule/metrics has', () => {
    for (const name of Object.keys(metrics)) expect(page).toContain(name);
  });
});
