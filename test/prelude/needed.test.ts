/** What a model needs of the library, and that the rest makes no difference. */
import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { neededPrelude } from '../../compiler/prelude/needed.ts';

const definitions = (text: string): string[] =>
  neededPrelude([text]).flatMap((source) =>
    [...source.text.matchAll(/^(?:fn|layer|optimizer|schedule) (\w+)/gm)].map(([, name = '']) => name),
  );

describe('the part of the library that a text needs', () => {
  it('is what it names, and what that names', () => {
    expect(definitions('y = x |> prelu')).toEqual(['leaky_relu', 'prelu']);
    expect(definitions('y = x |> transformer_block(4)')).toEqual(
      expect.arrayContaining(['transformer_block', 'multi_head_attention', 'layer_norm', 'gelu', 'dense']),
    );
    expect(definitions('y = x |> transformer_block(4)')).not.toContain('lstm');
  });

  it('is nothing for a text that names nothing of it', () => {
    expect(neededPrelude(['y = 2 * x'])).toEqual([]);
  });

  it('keeps every line in its place', () => {
    const lines = (text: string): string[] => text.split('\n');
    const [part] = neededPrelude(['decoder_block']).filter(({ path }) => path === 'prelude/attention.dsl');
    const [whole] = preludeSources().filter(({ path }) => path === 'prelude/attention.dsl');
    const kept = lines(part?.text ?? '');
    expect(kept.length).toBe(lines(whole?.text ?? '').length);
    expect(kept.some((line) => line.startsWith('layer decoder_block'))).toBe(true);
    kept.forEach((line, place) => {
      if (line !== '') expect(line).toBe(lines(whole?.text ?? '')[place]);
    });
  });

  it('is all of it for a hint', () => {
    const text = 'model M {\n  input x[n, 4]\n  output y = x |> dens(2)\n}\n';
    const { diagnostics } = analyse({ path: 'm.dsl', text });
    expect(diagnostics.map(({ code, hint }) => `${code} ${hint}`)).toEqual([
      expect.stringMatching(/^E20\d .*dense/),
    ]);
  });
});
