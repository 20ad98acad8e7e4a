/** Functions over an index given whole tensors, slices, extents as numbers, exact quotients. */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/graph/interpret.ts';
import { errorOf, programOf, statementsOf } from './helpers.ts';

const inputs = 'input x[n, 6]\ninput label[n]: 6\nparam w[6] ~ ones\n';

describe('a function over an index, given a whole tensor', () => {
  it('works over the last axis', () => {
    expect(statementsOf(`${inputs}output p = softmax(x)`)).toEqual([
      'p_logsumexp[n] = logsumexp[i](x[n, i])',
      'p[n, i] = exp(x[n, i] - p_logsumexp[n])',
    ]);
  });

  it('works in pipelines', () => {
    const piped = statementsOf(`${inputs}output p = x * 2 |> softmax |> sqrt`);
    expect(piped.at(-1)).toBe('p[n, i] = sqrt(exp(x[n, i] * 2 - p_logsumexp[n]))');
  });

  it('works on a single axis', () => {
    expect(statementsOf(`${inputs}output p = w |> softmax`)).toEqual([
      'p_logsumexp = logsumexp[i](w[i])',
      'p[i] = exp(w[i] - p_logsumexp)',
    ]);
  });

  it('takes what has fewer axes whole', () => {
    const program = programOf(`${inputs}output l = cross_entropy(x, label, smoothing = 0.1)`);
    expect(program.tensors.get('l')?.axes).toEqual(['n']);
  });

  it('has no axis more where the function reduces', () => {
    expect(statementsOf(`${inputs}output a = accuracy(x, label)`)).toEqual([
      'a_argmax[n] = argmax[i](x[n, i])',
      'a[n] = a_argmax[n] == label[n]',
    ]);
    expect(statementsOf(`${inputs}c = cosine_similarity(w, 2 * w)\noutput y = x * c`).at(-1)).toBe(
      'y[n, i] = x[n, i] * c',
    );
  });

  it('is the same as with indices', () => {
    const values = { x: Float64Array.from({ length: 12 }, (_, at) => Math.sin(at)) };
    const [whole, indexed] = ['softmax(softmax(x))', 'softmax[k](softmax[k](x[n, k]))'].map((value, at) => {
      const left = at === 0 ? 'p' : 'p[n, k]';
      const program = programOf(`input x[n, 6]\noutput ${left} = ${value}`);
      return interpret(program, { tensors: values, extents: { n: 2 } }).get('p');
    });
    expect(whole).toEqual(indexed);
  });

  it('wants last axes that agree', () => {
    const { code, notes } = errorOf('input x[n, 6]\ninput z[n, 5]\noutput y = cosine_similarity(x, z)');
    expect([code, notes.length]).toEqual(['E307', 1]);
  });
});

describe('an extent that is written out', () => {
  it('may be less than the axis that is read: a slice', () => {
    expect(statementsOf(`${inputs}output y[n, i: 3] = x[n, i] * x[n, 3 + i]`)).toEqual([
      'y[n, i: 3] = x[n, i] * x[n, i + 3]',
    ]);
  });

  it('slices what is reduced', () => {
    expect(statementsOf(`${inputs}output y[n] = sum[i: 2](x[n, i])`)).toEqual(['y[n] = sum[i: 2](x[n, i])']);
    expect(statementsOf(`${inputs}output y[n] = mean[i: 2](x[n, i])`).at(-1)).toBe('y[n] = y_sum[n] / 2');
  });

  it('slices what a function works over', () => {
    expect(statementsOf(`${inputs}output y[n, k: 3] = softmax[k: 3](x[n, k])`)[0]).toBe(
      'y_logsumexp[n] = logsumexp[k: 3](x[n, k])',
    );
  });

  it('holds whatever reads with else have', () => {
    expect(statementsOf(`${inputs}output y[n, i: 9] = (x[n, i] else 0) + (x[n, i - 3] else 0)`)).toHaveLength(
      1,
    );
  });

  it('must stay inside', () => {
    expect(errorOf(`${inputs}output y[n, i: 4] = x[n, i] + x[n, 3 + i]`).code).toBe('E403');
    expect(errorOf(`${inputs}output y[n] = sum[i: 7](x[n, i])`).code).toBe('E403');
  });
});

describe('extent(i)', () => {
  it('is the number of places of an index', () => {
    expect(statementsOf(`${inputs}output y[n, i] = i / extent(i)`.replace('i / ', 'x[n, i] * i / '))).toEqual(
      ['y[n, i] = x[n, i] * i / 6'],
    );
  });

  it('is known at run time for the batch, by index and by size', () => {
    expect(statementsOf(`${inputs}output y[n] = sum[i](x[n, i]) / extent(n)`).at(-1)).toBe(
      'y[n] = y_sum[n] / extent(n)',
    );
    expect(statementsOf(`${inputs}s = sum(x) / extent(n)\noutput y = x * s`)).toContain('s = s_sum / n');
  });

  it('is found where the index is bound', () => {
    expect(statementsOf(`${inputs}output y[n] = sum[i](x[n, i] / extent(i))`)).toEqual([
      'y[n] = sum[i](x[n, i] / 6)',
    ]);
    const fn = 'fn average[k](z) = sum[k](z) / extent(k)';
    expect(statementsOf(`${inputs}output y[n] = average[k](x[n, k])`, fn).at(-1)).toBe('y[n] = y_sum[n] / 6');
  });
});

describe('exact(i / 2)', () => {
  it('is outside where the quotient is not whole', () => {
    const program = programOf('input x[n, 3]\noutput y[n, i: 6] = x[n, exact((i - 1) / 2)] else -1');
    const tensors = { x: Float64Array.of(7, 8, 9) };
    expect([...(interpret(program, { tensors, extents: { n: 1 } }).get('y') ?? [])]).toEqual([
      -1, 7, -1, 8, -1, 9,
    ]);
  });
});

describe('formulas that grow', () => {
  it('are cut into tensors', () => {
    const fns = ['fn f0(x) = x * x + 1'];
    for (let level = 1; level <= 8; level++) fns.push(`fn f${level}(x) = f${level - 1}(f${level - 1}(x))`);
    const lines = statementsOf('input x[n]\noutput y = f8(x)', fns.join('\n'));
    expect(lines.length).toBeGreaterThan(10);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000);
  });
});
