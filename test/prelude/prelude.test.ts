import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { renderLibrary } from '../../compiler/prelude/render.ts';
import { parse } from '../../compiler/syntax/index.ts';

const folder = new URL('../../compiler/prelude/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.dsl'))
  .toSorted()
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

describe('the prelude', () => {
  it('has in library.generated.ts what its .dsl files say (else: npm run prelude)', () => {
    expect(readFileSync(new URL('library.generated.ts', folder), 'utf8')).toBe(renderLibrary(files));
    expect(preludeSources()).toEqual(
      files.map(({ name, text }) => ({ path: `prelude/${name}`, text, library: true })),
    );
  });

  it('quotes what a template literal would read otherwise', () => {
    const text = 'a `tick`, a \\ and ${this}';
    expect(renderLibrary([{ name: 'x.dsl', text }])).toContain('a \\`tick\\`, a \\\\ and \\${this}');
  });

  it.each(preludeSources())('$path parses', (source) => {
    const diagnostics = new Diagnostics();
    expect(parse(source, diagnostics).items.length).toBeGreaterThan(0);
    expect(diagnostics.list).toEqual([]);
  });

  it('defines no name twice', () => {
    const names = preludeSources().flatMap((source) =>
      parse(source, new Diagnostics()).items.flatMap((item) =>
        'name' in item && item.kind !== 'derivative' ? [item.name.text] : [],
      ),
    );
    expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
  });
});
