/** Every snippet of docs/DATA.md is run, and prints what the comments after `console.log` say. */
import { describe, expect, it } from 'vitest';
import * as data from 'chainrule/data';
import * as metrics from 'chainrule/metrics';
import * as node from 'chainrule/node';
import * as runtime from 'chainrule/runtime';
import * as xor from '../../generated/xor.ts';
import { blocksOf, pageOf, promisedBy, runSnippets } from './snippets.ts';

const modules: Readonly<Record<string, object>> = {
  'chainrule/data': data,
  'chainrule/metrics': metrics,
  'chainrule/node': node,
  'chainrule/runtime': runtime,
  './generated/xor.ts': xor,
};

const page = pageOf('DATA.md');
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section): [title: string, snippets: string[]] => {
    return [section.split('\n')[0]!, blocksOf(section, 'ts')];
  });

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

describe('docs/DATA.md', () => {
  const snippets = sections.flatMap(([title, all]) => all.map((snippet) => [title, snippet] as const));
  it.each(snippets)('%s', async (_, snippet) => {
    const { logged } = await runSnippets(snippet, { modules });
    expect(promisedBy(snippet)).not.toEqual([]);
    expect(logged.map((values) => values.map(shown).join(' '))).toEqual(promisedBy(snippet));
  });

  it('has a snippet in every section', () => {
    expect(sections.filter(([, all]) => all.length === 0)).toEqual([]);
    expect(sections.length).toBeGreaterThan(6);
  });

  it('names everything that chainrule/metrics has', () => {
    for (const name of Object.keys(metrics)) expect(page).toContain(name);
  });
});
