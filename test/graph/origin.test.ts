import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import { placeOfOrigin, placesOfOrigins } from '../../compiler/graph/origin.ts';
import type { Origin } from '../../compiler/graph/types.ts';

const text = `layer twice(x[n, i]) -> y[n, 3] {
  h[n, i] = 2 * x[n, i]
  y = h |> dense(3)
}
model Calls {
  input x[n, 4]
  a = x
    |> twice
    |> relu
  z = a |> dense(2)
  loss = mean(z^2)
  train { optimizer: sgd(rate = 0.1) }
}`;

const { models, diagnostics } = analyse({ path: 'some/where/calls.dsl', text });
const { program } = models[0]!;

function placeOfTensor(name: string): string {
  return placeOfOrigin(program.statements.find(({ target }) => target === name)!.origin);
}

const layer = /^calls\.dsl:\d+ \(layers\.dsl:\d+\)$/;

describe('the place of a statement', () => {
  it('is its line in the model', () => {
    expect(diagnostics).toEqual([]);
    expect(placeOfTensor('loss')).toBe('calls.dsl:11');
  });

  it('of a layer is the line that calls it, with the line of the layer in brackets', () => {
    expect(placeOfTensor('z')).toMatch(layer);
    expect(placeOfTensor('z')).toContain('calls.dsl:10 ');
  });

  it('of a layer in a layer is the line of the model, where the call is, not where its statement begins', () => {
    const [inner] = program.statements.filter(({ origin }) => origin.calls.length === 2);
    expect(placeOfOrigin(inner!.origin)).toMatch(/^calls\.dsl:8 \(layers\.dsl:\d+\)$/);
  });

  it('is kept by differentiation and every rewrite', () => {
    expect(placeOfTensor('dz_W')).toBe(placeOfTensor('z'));
    for (const { origin } of program.statements)
      expect(origin.span.source.library && origin.calls.length === 0).toBeFalsy();
  });
});

describe('the places of equal statements', () => {
  const source = { path: 'm.dsl', text: '\n'.repeat(30) };
  const library = { path: 'layers.dsl', text: '\n'.repeat(30), library: true };
  const at = (line: number, inLayer?: number): Origin => ({
    span: { source: inLayer === undefined ? source : library, start: (inLayer ?? line) - 1, end: line },
    calls: inLayer === undefined ? [] : [{ source, start: line - 1, end: line }],
    history: [],
  });

  it('are told shortly: lines in order, neighbours joined, calls and layers once', () => {
    expect(placesOfOrigins([at(9, 7), at(3, 7), at(4, 7), at(5, 7), at(3, 7)])).toBe(
      'm.dsl:3-5, 9 (layers.dsl:7)',
    );
    expect(placesOfOrigins([at(3, 7), at(4, 7), at(4, 12), at(3, 12)])).toBe('m.dsl:3-4 (layers.dsl:7, 12)');
    expect(placesOfOrigins([at(3), at(5, 7)])).toBe('m.dsl:3, m.dsl:5 (layers.dsl:7)');
  });

  it('are counted from some number on', () => {
    const many = Array.from({ length: 9 }, (_, k) => at(2 * k + 1));
    expect(placesOfOrigins(many)).toBe('m.dsl:1, 3, 5, 7, 9, 11 and 3 more');
  });
});
