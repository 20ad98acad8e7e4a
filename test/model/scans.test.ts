/** `scan` blocks: what is recurrent stays, everything else leaves; what is not computed yet cannot be read. */
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { printProgram } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { describeDiagnostic, errorOf, programOf, textOf } from './helpers.ts';

/** The statements, each recurrence as the block that it is. */
function body(program: Program): string[] {
  const lines = printProgram(program).split('\n').slice(1, -2);
  return lines
    .map((line) => line.slice(2))
    .filter((line) => !/^(input |param |output \w+$|loss |$)/.test(line));
}

const bodyOf = (text: string): string[] => body(programOf(text));

const valuesOf = (text: string, tensors: Record<string, number[]>, name: string): number[] => [
  ...(interpret(programOf(text), { tensors, extents: { n: 1 } }).get(name) ?? []),
];

describe('a scan', () => {
  it('runs step by step; what does not depend on earlier steps is computed for all of them at once', () => {
    const text = `
      input x[n, 5, 3]
      param W[3, 4] ~ zeros
      param U[4, 4] ~ zeros
      scan t {
        h[n, t, o] = tanh(sum[i](x[n, t, i] * W[i, o]) + sum[p]((h[n, t - 1, p] else 0) * U[p, o]))
        y[n, t, o] = 2 * h[n, t, o]
      }
      output y`;
    expect(bodyOf(text)).toEqual([
      'h_sum[n, t, o] = sum[i](x[n, t, i] * W[i, o])',
      'scan t {',
      '  h_sum2[n: n, t: 5, o] = sum[p]((h[n, t - 1, p] else 0) * U[p, o])',
      '  h[n, t, o] = tanh(h_sum[n, t, o] + h_sum2[n, t, o])',
      '}',
      'output y[n, t, o] = 2 * h[n, t, o]',
    ]);
  });

  it('has a value for the steps before the first: by `else`, or by a condition', () => {
    const sum = (before: string): string => `
      input x[n, 3]
      input s0[n]
      scan t { s[n, t] = ${before} + x[n, t] }
      output s`;
    const tensors = { x: [1, 2, 3], s0: [10] };
    expect(valuesOf(sum('(s[n, t - 1] else 0)'), tensors, 's')).toEqual([1, 3, 6]);
    expect(valuesOf(sum('(t == 0 ? s0[n] : s[n, t - 1])'), tensors, 's')).toEqual([11, 13, 16]);
    expect(valuesOf(sum('(t > 0 ? s[n, t - 1] : s0[n])'), tensors, 's')).toEqual([11, 13, 16]);
    expect(valuesOf(sum('(t >= 2 and x[n, t] > 0 ? s[n, t - 2] : s0[n])'), tensors, 's')).toEqual([
      11, 12, 14,
    ]);
  });

  it('that is reversed begins with the last step', () => {
    const text = (before: string): string => `
      input x[n, 3]
      scan t reversed { s[n, t] = ${before} + x[n, t] }
      output s`;
    expect(valuesOf(text('(s[n, t + 1] else 0)'), { x: [1, 2, 3] }, 's')).toEqual([6, 5, 3]);
    expect(valuesOf(text('(t == 3 - 1 ? 1 : s[n, t + 1])'), { x: [1, 2, 3] }, 's')).toEqual([7, 6, 4]);
  });

  it('may have several statements that need each other, in any order', () => {
    const text = `
      input x[n, 4]
      scan t {
        a[n, t] = (b[n, t - 1] else 1) + x[n, t]
        b[n, t] = 2 * a[n, t] + (b[n, t - 2] else 0)
      }
      output b`;
    expect(valuesOf(text, { x: [1, 1, 1, 1] }, 'b')).toEqual([4, 10, 26, 64]);
    expect(bodyOf(text)[0]).toBe('scan t {');
  });

  it('becomes two where two recurrences do not need each other, none where nothing is recurrent', () => {
    const text = `
      input x[n, 4]
      scan t {
        a[n, t] = (a[n, t - 1] else 0) + x[n, t]
        b[n, t] = (b[n, t - 1] else 0) + a[n, t]
        c[n, t] = b[n, t]^2
      }
      output c`;
    expect(bodyOf(text).filter((line) => line === 'scan t {')).toHaveLength(2);
    expect(bodyOf('input x[n, 4]\nscan t { c[n, t] = x[n, t]^2 }\noutput c')).toEqual([
      'output c[n, t] = x[n, t]^2',
    ]);
  });

  it('keeps the state of rows whose sequence is over', () => {
    const text = `
      input x[n, 4]
      input lengths[n]: 1 .. 4
      scan t {
        new[n, t] = (h[n, t - 1] else 0) + x[n, t]
        h[n, t] = t < lengths[n] ? new[n, t] : (h[n, t - 1] else 0)
      }
      output h`;
    expect(valuesOf(text, { x: [1, 2, 3, 4], lengths: [2] }, 'h')).toEqual([1, 3, 3, 3]);
  });

  it('learns how far an index runs from the axes of its own tensors', () => {
    const text = `
      input x[n, 4]
      scan t { h[n, t, o: 3] = x[n, t] + sum[p](h[n, t - 1, p] else 1) }
      output h`;
    expect(valuesOf(text, { x: [0, 0, 0, 0] }, 'h').slice(0, 6)).toEqual([3, 3, 3, 9, 9, 9]);
  });

  it('may hold scatters: each step adds to its own elements', () => {
    const text = `
      input bin[n, 3]: 2
      input x[n, 3]
      scan t {
        s[n, t, bin[n, t]: 2] += x[n, t] + (s[n, t - 1, i] else 0) for n, t, i
      }
      output s`;
    // both elements of a step go to the bin of the next
    expect(valuesOf(text, { bin: [1, 0, 1], x: [1, 2, 3] }, 's')).toEqual([0, 2, 6, 0, 0, 12]);
    expect(bodyOf(text)).toEqual([
      'scan t {',
      '  s[n, t, bin[n, t]: 2] += x[n, t] + (s[n, t - 1, i] else 0) for n, t, i',
      '}',
    ]);
  });

  it('may choose by its own state: a place is an index in the statements further down', () => {
    const text = `
      input T[3, 3]
      scan t {
        k[t: 4] = argmax[i](h[t - 1, i] else 0)
        h[t, i] = T[k[t], i]
      }
      output h`;
    // from 0 to 2, to 1, to 1
    const T = [0, 0, 1, 0, 1, 0, 0, 1, 0];
    expect(valuesOf(text, { T }, 'k')).toEqual([0, 2, 1, 1]);
    expect(bodyOf(text).slice(0, 3)).toEqual([
      'scan t {',
      '  k[t: 4] = argmax[i: 3](h[t - 1, i] else 0)',
      '  h[t: 4, i] = T[k[t], i]',
    ]);
  });

  it('stands in layers too', () => {
    const program = programOf(
      'input x[n, 4, 2]\ny = decay(x, 0.5)\noutput y',
      [
        'layer decay(x[n, t, c], rate) -> y[n, t, c] {',
        '  scan t { y[n, t, k] = rate * (y[n, t - 1, k] else 0) + x[n, t, k] }',
        '}',
      ].join('\n'),
    );
    expect(body(program)).toEqual([
      'scan t {',
      '  y[n, t, k] = 0.5 * (y[n, t - 1, k] else 0) + x[n, t, k]',
      '}',
    ]);
  });
});

describe('a scan in a model with two modes', () => {
  const text = (input: string): string => `
    input x[n, 4]
    input y[n, 4]
    param a ~ 0.5
    scan t {
      s[n, t] = a * (h[n, t - 1] else 0)
      h[n, t] = s[n, t] + ${input}
    }
    loss = mean[n, t]((h[n, t] - y[n, t])^2)`;

  it('is there twice where it differs, each with its own statements', () => {
    const program = programOf(text('(training ? 2 : 1) * x[n, t]'));
    const tensors = { x: [1, 1, 1, 1], y: [0, 0, 0, 0], a: [0.5] };
    const values = interpret(program, { tensors, extents: { n: 1 } });
    expect([...(values.get('h') ?? [])]).toEqual([2, 3, 3.5, 3.75]);
    expect([...(values.get('h_inference') ?? [])]).toEqual([1, 1.5, 1.75, 1.875]);
    expect(program.evaluation?.loss).toBe('loss_inference');
  });

  it('is there once where it is the same', () => {
    const program = programOf(text('x[n, t]').replace('(h[n, t] - y', '(h[n, t] - (training ? 2 : 1) * y'));
    expect(program.tensors.has('h_inference')).toBe(false);
    expect(program.evaluation?.loss).toBe('loss_inference');
  });
});

describe('the gradient of a scan', () => {
  it('is a scan the other way round, with the gradients of weights after it', () => {
    const program = programOf(`
      input x[n, 5]
      param a ~ zeros
      scan t { s[n, t] = a * (s[n, t - 1] else 0) + x[n, t] }
      loss = sum(s)`);
    const gradient = differentiate(program, new Diagnostics());
    const backward = body(gradient).slice(body(gradient).indexOf('// the gradient') + 1);
    expect(backward).toEqual([
      'dloss_sum = 1',
      'ds_1[n: n, t: 5] = dloss_sum',
      'scan t reversed {',
      '  ds_2[n: n, t: 5] = (ds[n, t + 1] else 0) * a',
      '  ds[n, t] = ds_1[n, t] + ds_2[n, t]',
      '}',
      'output da = sum[n, t](ds[n, t] * (s[n, t - 1] else 0))',
    ]);
    expect(gradient.statements.at(-1)?.scan).toBeUndefined();
  });
});

describe('it is an error in a scan', () => {
  const scan = (statements: string, header = 'scan t'): string =>
    `input x[n, 4]\n${header} {\n${statements}\n}\noutput h`;

  it.each([
    ['to read its own step', 'h[n, t] = h[n, t] + x[n, t]', "E406 't'"],
    ['to read a later step', 'h[n, t] = (h[n, t + 1] else 0) + x[n, t]', "E406 't + 1'"],
    ['to read any fixed step', 'h[n, t] = (h[n, 0] else 0) + x[n, t]', "E406 '0'"],
    ['to read all steps', 'h[n, t] = x[n, t] + sum[s](h[n, s])', "E406 's'"],
    [
      'to read at its own step what stands below',
      'h[n, t] = k[n, t] + x[n, t]\nk[n, t] = h[n, t]',
      "E406 't'",
    ],
    ['to read it whole', 'h[n, t] = x[n, t] + sum(h)', "E406 'h'"],
    ['to have no index of the scan', 'h[n] = sum[t](x[n, t])', "E405 'h'"],
    ['to leave out what is before the first step', 'h[n, t] = h[n, t - 1] + x[n, t]', "E403 't - 1'"],
    [
      'to go on beyond an end by what may not be there yet',
      'h[n, t] = (h[n, t - 1] else edge) + x[n, t]',
      "E406 'edge'",
    ],
    ['to read with too few indices', 'h[n, t] = (h[t - 1] else 0) + x[n, t]', "E302 'h[t - 1] else 0'"],
  ])('%s', (_, statements, wanted) => {
    const error = errorOf(scan(statements));
    expect(`${error.code} '${textOf(error.span)}'`, describeDiagnostic(error)).toBe(wanted);
    expect(error.hint).toBeDefined();
  });

  it('to read an earlier step where it is reversed: the hint says which way it goes', () => {
    const error = errorOf(scan('h[n, t] = (h[n, t - 1] else 0) + x[n, t]', 'scan t reversed'));
    expect(error).toMatchObject({ code: 'E406', hint: expect.stringContaining('`t + 1`') });
  });

  it('to define a name twice', () => {
    expect(errorOf(scan('h[n, t] = x[n, t]\nh[n, t] = x[n, t]')).code).toBe('E202');
  });
});
