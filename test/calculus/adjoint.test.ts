import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import {
  add,
  addIndex,
  binary,
  constantIndex,
  fetchIndex,
  indexOf,
  multiply,
  quotientIndex,
  read,
  remainderIndex,
  scaleIndex,
  unary,
} from '../../compiler/graph/expressions.ts';
import type { Extent, IndexExpression, Program, Tensor } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import {
  at,
  backwardLines,
  gradientOf,
  gradientValues,
  input,
  integers,
  parameter,
  program,
} from './support.ts';

type Indices = Readonly<Record<string, Extent>>;

const plus = (index: string | IndexExpression, by: number): IndexExpression =>
  addIndex(typeof index === 'string' ? indexOf(index) : index, constantIndex(by));

/** y[indices] = w[place], loss = Σ sin y: dy = cos y, and dw is what the map of the place makes of it. */
function readOnce(
  w: Tensor,
  indices: Indices,
  place: readonly (string | IndexExpression)[],
  outside?: number,
): Program {
  return program(
    [w],
    [
      { target: 'y', indices, body: read('w', at(...place), outside) },
      { target: 'loss', over: indices, body: unary('sin', read('y', at(...Object.keys(indices)))) },
    ],
  );
}

/** Only the lines for dw. */
const gradientLine = (source: Program): string | undefined =>
  backwardLines(source).find((line) => line.startsWith('dw'));

interface Convolution {
  readonly length: number;
  readonly output: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly pad?: number;
}

/** y[n, i] = Σ x[n, stride i + dilation u - pad] K[u] with three values in K. */
function convolution({ length, output, stride = 1, dilation = 1, pad = 0 }: Convolution): Program {
  const position = addIndex(
    scaleIndex(indexOf('i'), stride),
    scaleIndex(indexOf('u'), dilation),
    constantIndex(-pad),
  );
  return program(
    [parameter('x', 'n', length), parameter('K', 3)],
    [
      {
        target: 'y',
        indices: { n: 'n', i: output },
        over: { u: 3 },
        body: multiply(read('x', at('n', position), pad > 0 ? 0 : undefined), read('K', at('u'))),
      },
      { target: 'loss', over: { n: 'n', i: output }, body: unary('sin', read('y', at('n', 'i'))) },
    ],
  );
}

describe('the adjoint of a multilayer perceptron', () => {
  const perceptron = program(
    [input('x', 'n', 4), parameter('W1', 4, 3), parameter('b1', 3), parameter('W2', 3, 2)],
    [
      {
        target: 'h_sum',
        indices: { n: 'n', j: 3 },
        over: { i: 4 },
        body: multiply(read('x', at('n', 'i')), read('W1', at('i', 'j'))),
      },
      {
        target: 'h',
        indices: { n: 'n', j: 3 },
        body: unary('relu', add(read('h_sum', at('n', 'j')), read('b1', at('j')))),
      },
      {
        target: 'z',
        indices: { n: 'n', k: 2 },
        over: { j: 3 },
        body: multiply(read('h', at('n', 'j')), read('W2', at('j', 'k'))),
      },
      { target: 's', indices: { n: 'n', k: 2 }, body: unary('tanh', read('z', at('n', 'k'))) },
      { target: 'loss', over: { n: 'n', k: 2 }, body: read('s', at('n', 'k')) },
    ],
  );

  it('is the textbook one, in terms of what the forward pass kept', () => {
    expect(backwardLines(perceptron)).toEqual([
      'ds[n: n, k: 2] = 1',
      'dz[n, k] = ds[n, k] * (1 - s[n, k]^2)',
      'dh[n, j] = sum[k](dz[n, k] * W2[j, k])',
      'dW2[j, k] = sum[n](dz[n, k] * h[n, j])',
      'dh_sum[n, j] = h[n, j] > 0 ? dh[n, j] : 0',
      'db1[j] = sum[n](h[n, j] > 0 ? dh[n, j] : 0)',
      'dW1[i, j] = sum[n](dh_sum[n, j] * x[n, i])',
    ]);
  });

  it('names the gradient of each parameter, says where it comes from, and computes none for inputs', () => {
    const gradient = gradientOf(perceptron);
    expect([...gradient.gradients]).toEqual([
      ['W1', 'dW1'],
      ['b1', 'db1'],
      ['W2', 'dW2'],
    ]);
    expect(gradient.statements.at(-1)?.origin.history).toEqual(['adjoint of h_sum']);
    expect(gradient.statements.at(-1)?.phase).toBe('backward');
    expect(gradient.tensors.has('dx')).toBe(false);
  });
});

describe('inversion of a map with coefficient 1', () => {
  it('convolution: the output index is substituted, and the cotangent is 0 outside', () => {
    expect(backwardLines(convolution({ length: 10, output: 8 })).slice(1)).toEqual([
      'dx[n, i: 10] = sum[u]((dy[n, i - u] else 0) * K[u])',
      'dK[u: 3] = sum[n, i](dy[n, i] * x[n, i + u])',
    ]);
  });

  it('padded convolution: the padding moves to the cotangent', () => {
    expect(backwardLines(convolution({ length: 10, output: 10, pad: 1 })).slice(1)).toEqual([
      'dx[n, i: 10] = sum[u]((dy[n, i - u + 1] else 0) * K[u])',
      'dK[u: 3] = sum[n, i](dy[n, i] * (x[n, i + u - 1] else 0))',
    ]);
  });

  it('dilated convolution', () => {
    const lines = backwardLines(convolution({ length: 10, output: 6, dilation: 2 }));
    expect(lines).toContain('dx[n, i: 10] = sum[u]((dy[n, i - 2*u] else 0) * K[u])');
  });

  it.each([
    ['transpose', readOnce(parameter('w', 3, 5), { i: 5, j: 3 }, ['j', 'i']), 'dw[j, i] = dy[i, j]'],
    ['broadcast', readOnce(parameter('w', 5), { i: 3, j: 5 }, ['j']), 'dw[j] = sum[i](dy[i, j])'],
    [
      'reversal, provably inside',
      readOnce(parameter('w', 5), { i: 5 }, [addIndex(constantIndex(4), scaleIndex(indexOf('i'), -1))]),
      'dw[i: 5] = dy[4 - i]',
    ],
    [
      'a shift along the batch',
      readOnce(parameter('w', 'n'), { n: 'n' }, [plus('n', -1)], 0),
      'dw[n: n] = dy[n + 1] else 0',
    ],
    [
      'a skewed matrix',
      readOnce(parameter('w', 3, 5), { i: 3, j: 3 }, ['i', addIndex(indexOf('i'), indexOf('j'))]),
      'dw[i, j: 5] = dy[i, -i + j] else 0',
    ],
  ])('%s', (_, source, line) => {
    expect(gradientLine(source)).toBe(line);
  });

  it('tests the range of an index at which the cotangent is not read', () => {
    const source = program(
      [parameter('w', 5)],
      [{ target: 'loss', over: { i: 2 }, body: unary('sin', read('w', at(plus('i', 1)))) }],
    );
    expect(gradientLine(source)).toBe('dw[i] = i >= 1 and i < 3 ? cos(w[i]) : 0');
  });

  it('tests the range where the factor might be infinite outside of it', () => {
    const source = program(
      [parameter('w', 5), input('x', 3)],
      [
        {
          target: 'y',
          indices: { i: 3 },
          body: binary('divide', read('w', at(plus('i', 1))), read('x', at('i'))),
        },
        { target: 'loss', over: { i: 3 }, body: unary('sin', read('y', at('i'))) },
      ],
    );
    expect(gradientLine(source)).toBe(
      'dw[i: 5] = i >= 1 and i < 4 ? (dy[i - 1] else 0) / (x[i - 1] else 0) : 0',
    );
  });
});

describe('inversion of a strided map', () => {
  it('stride 2: an exact quotient of the place', () => {
    const lines = backwardLines(convolution({ length: 9, output: 4, stride: 2 }));
    expect(lines).toContain('dx[n, i: 9] = sum[u]((dy[n, exact((i - u) / 2)] else 0) * K[u])');
  });

  it('stride 2 and dilation 3', () => {
    const lines = backwardLines(convolution({ length: 20, output: 6, stride: 2, dilation: 3 }));
    expect(lines).toContain('dx[n, i: 20] = sum[u]((dy[n, exact((i - 3*u) / 2)] else 0) * K[u])');
  });

  it('is undone by differentiating again: the exact quotient is multiplied out', () => {
    const upsampled = readOnce(parameter('w', 3), { i: 6 }, [quotientIndex(indexOf('i'), 2, true)], 0);
    expect(gradientLine(upsampled)).toBe('dw[i: 3] = dy[2*i]');
  });
});

describe('inversion of a cut: places that count digits', () => {
  const heads = (shift: number): readonly IndexExpression[] => [
    addIndex(scaleIndex(indexOf('h'), 4), indexOf('c'), constantIndex(shift)),
  ];
  const cut = (length: number, shift: number): Program =>
    readOnce(parameter('w', length), { h: 3, c: 4 }, heads(shift));

  it('the digits are put together again, with no sum', () => {
    expect(gradientLine(cut(12, 0))).toBe('dw[c: 12] = dy[c / 4, mod(c, 4)]');
  });

  it('outside of the part that was cut the first digit is outside', () => {
    expect(gradientLine(cut(24, 8))).toBe('dw[c: 24] = dy[c / 4 - 2, mod(c, 4)] else 0');
  });

  it('a window of several elements gives each of them its cotangent', () => {
    const place = addIndex(scaleIndex(indexOf('i'), 2), indexOf('u'));
    const pooled = program(
      [parameter('w', 7)],
      [
        { target: 'y', indices: { i: 3 }, over: { u: 2 }, body: read('w', at(place)) },
        { target: 'loss', over: { i: 3 }, body: unary('sin', read('y', at('i'))) },
      ],
    );
    expect(gradientLine(pooled)).toBe('dw[u: 7] = dy[u / 2] else 0');
  });
});

describe('inversion of quotients and remainders', () => {
  const f = indexOf('f');

  it('flatten: the index is taken apart into digits', () => {
    const place = ['n', quotientIndex(f, 8), remainderIndex(quotientIndex(f, 2), 4), remainderIndex(f, 2)];
    expect(gradientLine(readOnce(parameter('w', 'n', 3, 4, 2), { n: 'n', f: 24 }, place))).toBe(
      'dw[n, f: 3, f2: 4, f3: 2] = dy[n, 8*f + 2*f2 + f3]',
    );
  });

  it('upsampling: the digit that is not read is summed over', () => {
    expect(gradientLine(readOnce(parameter('w', 3), { f: 6 }, [quotientIndex(f, 2)]))).toBe(
      'dw[f: 3] = sum[f2: 2](dy[2*f + f2])',
    );
    expect(gradientLine(readOnce(parameter('w', 3), { f: 5 }, [quotientIndex(f, 2)]))).toBe(
      'dw[f: 3] = sum[f2: 2](dy[2*f + f2] else 0)',
    );
  });
});

describe('maps without an inverse are scattered', () => {
  it.each([
    ['diagonal', readOnce(parameter('w', 5, 5), { i: 5 }, ['i', 'i']), 'dw[i, i] += dy[i] for i'],
    [
      'a slice at a constant place',
      readOnce(parameter('w', 8, 2), { i: 2 }, [plus('i', 3), constantIndex(1)]),
      'dw[i + 3: 8, 1: 2] += dy[i] for i',
    ],
    [
      'a remainder of a sum',
      readOnce(parameter('w', 2), { i: 3, j: 2 }, [remainderIndex(addIndex(indexOf('i'), indexOf('j')), 2)]),
      'dw[mod(i + j, 2): 2] += dy[i, j] for i, j',
    ],
  ])('%s', (_, source, line) => {
    expect(gradientLine(source)).toBe(line);
  });

  it('embedding', () => {
    const source = program(
      [parameter('E', 5, 2), integers('tokens', 4, 'n')],
      [
        { target: 'y', indices: { n: 'n', d: 2 }, body: read('E', at(fetchIndex('tokens', at('n')), 'd')) },
        { target: 'loss', over: { n: 'n', d: 2 }, body: unary('sin', read('y', at('n', 'd'))) },
      ],
    );
    expect(backwardLines(source).at(-1)).toBe('dE[tokens[n]: 5, d] += dy[n, d] for n, d');
    const tensors = { E: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], tokens: [2, 0, 2] };
    const gradient = gradientValues(gradientOf(source), tensors, { n: 3 }).get('E');
    const cosines = [1, 1, 0, 0, 2, 2, 0, 0, 0, 0].map((times, value) =>
      times === 0 ? 0 : times * Math.cos(value),
    );
    expect([...(gradient ?? [])]).toEqual(cosines);
  });
});

describe('the rules of the reductions', () => {
  it('max pooling keeps the place of the maximum and scatters there', () => {
    const source = program(
      [parameter('x', 'n', 6)],
      [
        {
          target: 'y',
          indices: { n: 'n', i: 3 },
          over: { u: 2 },
          combine: 'max',
          body: read('x', at('n', addIndex(scaleIndex(indexOf('i'), 2), indexOf('u')))),
        },
        { target: 'loss', over: { n: 'n', i: 3 }, body: unary('sin', read('y', at('n', 'i'))) },
      ],
    );
    expect(backwardLines(source)).toEqual([
      'y_argmax[n, i: 3] = argmax[u: 2](x[n, 2*i + u])',
      'dy[n, i] = cos(y[n, i])',
      'dx[n, 2*i + y_argmax[n, i]: 6] += dy[n, i] for n, i',
    ]);
    const gradient = gradientOf(source);
    expect(gradient.statements[1]?.phase).toBe('forward');
    expect(gradient.tensors.get('y_argmax')?.range).toEqual({ least: 0, greatest: 1 });
    // the first of equals has it all
    expect([...(gradientValues(gradient, { x: [0, 0, -1, 0, 0, -2] }, { n: 1 }).get('x') ?? [])]).toEqual([
      1, 0, 0, 1, 1, 0,
    ]);
  });

  it('max over overlapping windows of two axes', () => {
    const source = program(
      [parameter('x', 3, 3)],
      [
        {
          target: 'y',
          indices: { i: 2, j: 2 },
          over: { u: 2, v: 2 },
          combine: 'max',
          body: read('x', at(addIndex(indexOf('i'), indexOf('u')), addIndex(indexOf('j'), indexOf('v')))),
        },
        { target: 'loss', over: { i: 2, j: 2 }, body: read('y', at('i', 'j')) },
      ],
    );
    expect(backwardLines(source).at(-1)).toBe(
      'dx[i + y_argmax[i, j] / 2: 3, j + mod(y_argmax[i, j], 2): 3] += dy[i, j] for i, j',
    );
    const tensors = { x: [1, 2, 3, 4, 9, 5, 6, 7, 8] };
    expect([...(gradientValues(gradientOf(source), tensors).get('x') ?? [])]).toEqual([
      0, 0, 0, 0, 4, 0, 0, 0, 0,
    ]);
  });

  it('max over the batch compares places', () => {
    const source = program(
      [parameter('x', 'n', 6)],
      [
        { target: 'y', indices: { i: 6 }, over: { n: 'n' }, combine: 'max', body: read('x', at('n', 'i')) },
        { target: 'loss', over: { i: 6 }, body: unary('sin', read('y', at('i'))) },
      ],
    );
    expect(backwardLines(source).at(-1)).toBe('dx[n: n, i] = y_argmax[i] == n ? dy[i] : 0');
  });

  it('a product has the product of the others, right with zeros', () => {
    const source = program(
      [parameter('w', 3, 3)],
      [
        { target: 'y', indices: { i: 3 }, over: { k: 3 }, combine: 'product', body: read('w', at('i', 'k')) },
        { target: 'loss', over: { i: 3 }, body: read('y', at('i')) },
      ],
    );
    expect(backwardLines(source).slice(1)).toEqual([
      'y_others[i, k: 3] = prod[k2](k2 != k ? w[i, k2] : 1)',
      'dw[i, k] = dy[i] * y_others[i, k]',
    ]);
    const tensors = { w: [2, 3, 4, 0, 3, 4, 0, 0, 4] };
    expect([...(gradientValues(gradientOf(source), tensors).get('w') ?? [])]).toEqual([
      12, 8, 6, 12, 0, 0, 0, 0, 0,
    ]);
  });

  it('softmax by logsumexp, with the contributions numbered and summed', () => {
    const source = program(
      [parameter('z', 'n', 3), input('t', 'n', 3)],
      [
        {
          target: 'l',
          indices: { n: 'n' },
          over: { k: 3 },
          combine: 'logsumexp',
          body: read('z', at('n', 'k')),
        },
        {
          target: 'p',
          indices: { n: 'n', k: 3 },
          body: unary('exp', binary('subtract', read('z', at('n', 'k')), read('l', at('n')))),
        },
        {
          target: 'loss',
          over: { n: 'n', k: 3 },
          body: multiply(read('p', at('n', 'k')), read('t', at('n', 'k'))),
        },
      ],
    );
    expect(backwardLines(source)).toEqual([
      'dp[n, k] = t[n, k]',
      'dz_1[n, k] = dp[n, k] * p[n, k]',
      'dl[n] = sum[k](-dp[n, k] * p[n, k])',
      'dz_2[n, k] = dl[n] * exp(z[n, k] - l[n])',
      'dz[n, k] = dz_1[n, k] + dz_2[n, k]',
    ]);
  });

  it('reads of one place in one body are one contribution', () => {
    const source = program(
      [parameter('w', 3)],
      [{ target: 'loss', over: { i: 3 }, body: multiply(read('w', at('i')), read('w', at('i'))) }],
    );
    expect(backwardLines(source)).toEqual(['dw[i] = w[i] + w[i]']);
  });
});

/** The codes of what is reported, and the program that comes back all the same. */
function report(source: Program): { codes: string[]; result: Program } {
  const diagnostics = new Diagnostics();
  const result = differentiate(source, diagnostics);
  return { codes: diagnostics.list.map(({ code }) => code), result };
}

describe('what has no gradient', () => {
  it('E601: a parameter that the loss does not read is left out', () => {
    const source = program(
      [parameter('w', 3), parameter('unused', 2)],
      [{ target: 'loss', over: { i: 3 }, body: read('w', at('i')) }],
    );
    const { codes, result } = report(source);
    expect(codes).toEqual(['E601']);
    expect([...result.gradients.keys()]).toEqual(['w']);
  });

  it.each([
    ['stop_gradient', unary('stop_gradient', read('w', at('i')))],
    ['floor', unary('floor', read('w', at('i')))],
    ['a comparison', binary('less', read('w', at('i')), read('v'))],
  ])('W702: behind %s the gradient is zero, and said to be', (_, body) => {
    const source = program(
      [parameter('w', 3), parameter('v')],
      [{ target: 'loss', over: { i: 3 }, body: add(body, read('v')) }],
    );
    const { codes, result } = report(source);
    expect(codes).toEqual(['W702']);
    expect(validate(result)).toEqual([]);
    expect([...(gradientValues(result, { w: [1, 2, 3], v: [1] }).get('w') ?? [])]).toEqual([0, 0, 0]);
  });

  it('W702: also behind an argmax', () => {
    const source = program(
      [parameter('w', 3), parameter('v')],
      [
        { target: 'best', over: { i: 3 }, combine: 'argmax', body: read('w', at('i')) },
        { target: 'loss', body: multiply(read('best'), read('v')) },
      ],
    );
    expect(report(source).codes).toEqual(['W702']);
  });

  it('frozen parameters have none, and nothing is computed for them', () => {
    const frozen = { ...parameter('w', 3), frozen: true };
    const source = program(
      [frozen, parameter('v', 3)],
      [{ target: 'loss', over: { i: 3 }, body: multiply(read('w', at('i')), read('v', at('i'))) }],
    );
    const { codes, result } = report(source);
    expect(codes).toEqual([]);
    expect([...result.gradients]).toEqual([['v', 'dv']]);
    expect(result.tensors.has('dw')).toBe(false);
  });

  it('E602: a loss with axes', () => {
    const source = program(
      [parameter('w', 3)],
      [{ target: 'loss', indices: { i: 3 }, body: read('w', at('i')) }],
    );
    expect(report(source).codes).toEqual(['E602']);
  });

  it('a program without a loss comes back as it is', () => {
    const { loss: _, ...rest } = program([parameter('w')], [{ target: 'y', body: read('w') }]);
    expect(report(rest)).toEqual({ codes: [], result: rest });
  });
});
