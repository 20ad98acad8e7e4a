import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Span } from '../../compiler/diagnostics/source.ts';
import { analyse, renderDiagnostics } from '../../compiler/index.ts';
import { codes } from '../../compiler/diagnostics/codes.ts';
import { builtInNames } from '../../compiler/model/calls.ts';
import { initializerNames } from '../../compiler/model/training/initializers.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { parse } from '../../compiler/syntax/index.ts';
import { keywords } from '../../compiler/syntax/tokens.ts';
import type { SyntaxItem } from '../../compiler/syntax/tree.ts';

const text = readFileSync(new URL('../../docs/LANGUAGE.md', import.meta.url), 'utf8');

const blocks = [...text.matchAll(/^```dsl\n([^]*?)^```$/gm)].map((match) => ({
  place: `line ${text.slice(0, match.index).split('\n').length}`,
  model: match[1] ?? '',
}));

describe('docs/LANGUAGE.md', () => {
  it.each(blocks)('has at $place a complete file that compiles without a word', ({ model }) => {
    const { diagnostics, models } = analyse({ path: 'LANGUAGE.dsl', text: model });
    expect(renderDiagnostics(diagnostics, { color: false })).toBe('');
    expect(models).toHaveLength(1);
  });

  it('has blocks', () => {
    expect(blocks.length).toBeGreaterThan(20);
  });

  it.each(preludeSources().flatMap(signatures))('has a line for %s', (signature) => {
    expect(text).toContain(`\`${signature}\``);
  });

  it.each([...builtInNames, ...keywords])('names %s', (name) => {
    expect(text).toContain(`\`${name}\``);
  });

  it.each(initializerNames)('lists the initialiser %s', (name) => {
    expect(text).toMatch(new RegExp(`^\\|.*\`${name}[\`(]`, 'm'));
  });

  it('speaks of codes that exist', () => {
    const named = [...text.matchAll(/\[([EW]\d{3})\]/g)].map((match) => match[1] ?? '');
    expect(named.filter((code) => !Object.hasOwn(codes, code))).toEqual([]);
  });

  it('has a heading for each of its links', () => {
    const anchors = new Set(
      [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
        (match[1] ?? '')
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
    const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !anchors.has(link))).toEqual([]);
  });
});

/** `softmax[k](z)`, `dense(x[.., i], units) -> y[.., units]`: what each definition of a file is called with. */
function signatures(source: ReturnType<typeof preludeSources>[number]): string[] {
  return parse(source, new Diagnostics()).items.flatMap(signatureOf);
}

function signatureOf(item: SyntaxItem): string[] {
  if (!('parameters' in item)) return [];
  const binder = item.kind === 'fn' && item.binder ? `[${item.binder.text}]` : '';
  const parameters = item.parameters.map(({ span }) => textAt(span)).join(', ');
  const axes = item.kind === 'layer' ? item.resultAxes.map(({ span }) => textAt(span)).join(', ') : '';
  const result = item.kind === 'layer' ? ` -> ${item.result.text}[${axes}]` : '';
  return [`${item.name.text}${binder}(${parameters})${result}`];
}

const textAt = ({ source, start, end }: Span): string => source.text.slice(start, end);
