import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import type { Extent, Initializer } from '../../compiler/graph/types.ts';
import { elaborateInitializer } from '../../compiler/model/training/initializers.ts';
import { parse } from '../../compiler/syntax/index.ts';
import type { SyntaxExpression } from '../../compiler/syntax/tree.ts';

/** The initialiser of `param W ~ text` with the given axes, and what was reported. */
function initialise(
  text: string,
  axes: readonly Extent[],
): { made: Initializer; codes: string[]; hints: string[] } {
  const diagnostics = new Diagnostics();
  const file = parse({ path: 'test.dsl', text: `model M {\n  param W ~ ${text}\n}` }, diagnostics);
  const model = file.items.find((item) => item.kind === 'model');
  const parameter = model?.items.find((item) => item.kind === 'param');
  if (parameter === undefined) throw new Error('not parsed');
  const made = elaborateInitializer(parameter.initializer, axes, { evaluate: numberOf, diagnostics });
  const codes = diagnostics.list.map(({ code }) => code);
  return { made, codes, hints: diagnostics.list.map(({ hint }) => hint ?? '') };
}

function numberOf(expression: SyntaxExpression): number | undefined {
  if (expression.kind === 'number') return expression.value;
  return expression.kind === 'unary' ? -(numberOf(expression.operand) ?? NaN) : undefined;
}

const uniform = (limit: number): unknown => ({
  kind: 'uniform',
  low: expect.closeTo(-limit, 12),
  high: expect.closeTo(limit, 12),
});
const normal = (deviation: number): unknown => ({
  kind: 'normal',
  mean: 0,
  deviation: expect.closeTo(deviation, 12),
});

describe('initialisers', () => {
  it.each<[string, readonly Extent[], unknown]>([
    ['zeros', [3], { kind: 'constant', value: 0 }],
    ['ones', ['count'], { kind: 'constant', value: 1 }],
    ['0.25', [3], { kind: 'constant', value: 0.25 }],
    ['-1', [], { kind: 'constant', value: -1 }],
    ['constant(2)', [], { kind: 'constant', value: 2 }],
    ['uniform(-1, 2)', [3], { kind: 'uniform', low: -1, high: 2 }],
    ['normal(mean = 1, deviation = 0.02)', [3], { kind: 'normal', mean: 1, deviation: 0.02 }],
    ['orthogonal', [4, 3], { kind: 'orthogonal', gain: 1 }],
    ['orthogonal(gain = 2)', [4, 3], { kind: 'orthogonal', gain: 2 }],
  ])('%s', (text, axes, expected) => {
    expect(initialise(text, axes)).toEqual({ made: expected, codes: [], hints: [] });
  });

  it.each<[string, readonly Extent[], unknown]>([
    // a matrix is [in, out]
    ['glorot_uniform', [8, 4], uniform(Math.sqrt(6 / 12))],
    ['xavier_normal', [8, 4], normal(Math.sqrt(2 / 12))],
    ['he_uniform', [8, 4], uniform(Math.sqrt(6 / 8))],
    ['kaiming_normal', [8, 4], normal(Math.sqrt(2 / 8))],
    ['lecun_uniform', [8, 4], uniform(Math.sqrt(3 / 8))],
    ['lecun_normal', [8, 4], normal(Math.sqrt(1 / 8))],
    ['glorot_normal(gain = 3)', [8, 4], normal(3 * Math.sqrt(2 / 12))],
    // one axis counts as both, none as 1
    ['glorot_uniform', [5], uniform(Math.sqrt(6 / 10))],
    ['he_normal', [], normal(Math.sqrt(2))],
    // [5, 5, 3, 16]: a receptive field of 25
    ['glorot_normal', [5, 5, 3, 16], normal(Math.sqrt(2 / (25 * 3 + 25 * 16)))],
    ['he_normal', [5, 5, 3, 16], normal(Math.sqrt(2 / 75))],
  ])('%s of %j counts fans as Keras does, and keeps its name for printing', (text, axes, expected) => {
    const { made, ...said } = initialise(text, axes);
    expect(made).toEqual({ ...Object(expected), name: text });
    expect(said).toEqual({ codes: [], hints: [] });
  });

  it('takes explicit values row by row', () => {
    expect(initialise('[[1, 2, 3], [-4, 5, 6]]', [2, 3]).made).toEqual({
      kind: 'values',
      values: [1, 2, 3, -4, 5, 6],
    });
  });

  it.each<[string, readonly Extent[], string]>([
    ['[1, 2]', [3], 'E503'], // too short
    ['[[1, 2], [3]]', [2, 2], 'E503'], // ragged
    ['[1, 2]', [2, 2], 'E503'], // not deep enough
    ['[[1], [2]]', [2], 'E503'], // too deep
    ['glorot_unifrom', [2, 2], 'E503'],
    ['he_normal', ['count'], 'E503'], // no sizes to count
    ['orthogonal', [3], 'E503'],
    ['uniform(2, 1)', [3], 'E503'],
    ['normal(0, -1)', [3], 'E503'],
    ['uniform(1)', [3], 'E205'],
    ['zeros(1)', [3], 'E205'],
    ['normal(mean = 0, mean = 1)', [3], 'E205'],
    ['normal(mean = 0, sigma = 1)', [3], 'E205'],
  ])('%s of %j is an error', (text, axes, code) => {
    expect(initialise(text, axes)).toMatchObject({ made: { kind: 'constant', value: 0 }, codes: [code] });
  });

  it('knows what was meant', () => {
    expect(initialise('glorot_unifrom', [2, 2]).hints).toEqual(['did you mean `glorot_uniform`?']);
  });
});
