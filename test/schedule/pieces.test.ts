import { describe, expect, it } from 'vitest';
import { analyse } from '../../compiler/index.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { schedule } from '../../compiler/schedule/index.ts';
import { cutLoops } from '../../compiler/schedule/pieces.ts';
import { integer, sum, variable } from '../../compiler/schedule/integers.ts';
import type { Condition, LoopStatement, Value } from '../../compiler/schedule/types.ts';
import { randomTensors } from '../property/programs.ts';
import { compareWithInterpreter, worstDifference } from './support.ts';

const load = (buffer: string, shift = 0): Value => ({
  kind: 'load',
  buffer,
  offset: sum(variable('g'), integer(shift)),
});
const zero: Value = { kind: 'number', value: 0 };
const compare = (operator: '<' | '>=' | '==', bound: number): Condition => ({
  kind: 'compare_integer',
  operator,
  left: variable('g'),
  right: integer(bound),
});
const where = (condition: Condition, then: Value): Value => ({
  kind: 'select',
  condition,
  then,
  otherwise: zero,
});
const binary = (operator: 'add' | 'multiply', left: Value, right: Value): Value => ({
  kind: 'binary',
  operator,
  left,
  right,
});
const overG = (value: Value, ...before: LoopStatement[]): LoopStatement => ({
  kind: 'for',
  index: 'g',
  from: integer(0),
  to: integer(16),
  step: 1,
  body: [...before, { kind: 'store', buffer: 'y', offset: variable('g'), value, add: false }],
});

describe('a loop is cut where its guards change', () => {
  it('into pieces without them, whose absent terms are gone', () => {
    const [first, second, ...others] = cutLoops([
      overG(
        binary(
          'add',
          where(compare('<', 8), load('a')),
          binary('multiply', where(compare('>=', 8), load('b', -8)), load('c')),
        ),
      ),
    ]);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ from: integer(0), to: integer(8), body: [{ value: load('a') }] });
    expect(second).toMatchObject({
      from: integer(8),
      to: integer(16),
      body: [{ value: binary('multiply', load('b', -8), load('c')) }],
    });
  });

  it('and constants that a piece does not read are not computed there', () => {
    const root: LoopStatement = {
      kind: 'constant',
      name: 'root',
      value: { kind: 'unary', operator: 'sqrt', operand: load('a') },
    };
    const read: Value = { kind: 'variable', name: 'root' };
    const [first, second] = cutLoops([
      overG(binary('add', where(compare('<', 4), read), where(compare('>=', 4), load('b'))), root),
    ]);
    expect(first).toMatchObject({ body: [root, { value: read }] });
    expect(second).toMatchObject({ body: [{ kind: 'store', value: load('b') }] });
  });

  it('but not for a turn or two at its ends', () => {
    const edge = overG(where(compare('>=', 1), load('a', -1)));
    expect(cutLoops([edge])).toEqual([edge]);
    const one = overG(where(compare('==', 7), load('a')));
    expect(cutLoops([one])).toEqual([one]);
  });

  it('and not where the pieces would be much longer than the loop', () => {
    const long = Array.from({ length: 20 }).reduce<Value>(
      (operand) => ({ kind: 'unary', operator: 'sin', operand }),
      load('a'),
    );
    const many = overG(
      [4, 8, 12]
        .map((bound) => where(compare('<', bound), load('b')))
        .reduce((sum, part) => binary('add', sum, part), long),
    );
    expect(cutLoops([many])).toEqual([many]);
  });
});

const gates = `
  input x[n, 4, 5]
  param W[5, 24] ~ zeros
  param U[8, 24] ~ zeros
  a[n, t, g] = sum[i](x[n, t, i] * W[i, g])
  scan t {
    s[n, t, g] = a[n, t, g] + sum[p: 8]((h[n, t - 1, p] else 0) * U[p, g])
    r[n, t, o: 8] = sigmoid(s[n, t, o])
    z[n, t, o: 8] = sigmoid(s[n, t, 8 + o])
    k[n, t, o: 8] = tanh(s[n, t, 16 + o])
    h[n, t: 4, o: 8] = z[n, t, o] * (h[n, t - 1, o] else 0) + r[n, t, o] * k[n, t, o]
  }
  output y[n, t, o] = h[n, t, o]
  loss = mean[n, t, o](h[n, t, o] ^ 2)`;

function programOf(text: string): Program {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text: `model M {\n${text}\n}` });
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  const [model] = models;
  if (!model) throw new Error('no model');
  return model.program;
}

describe('the gates of a recurrence', () => {
  const program = programOf(gates);

  it.each([[], ['pieces'] as const])('have gradients as the interpreter has them (without %s)', (...left) => {
    const tensors = randomTensors(program, 3);
    for (const compared of compareWithInterpreter(program, tensors, { n: 3 }, { without: new Set(left) }))
      expect(worstDifference(compared), compared.name).toBeLessThan(1e-12);
  });

  it('have a loop each in the gradient of what they are parts of', () => {
    const startsOf = (without: ReadonlySet<string>): string =>
      JSON.stringify(schedule(program, { dtype: 'f64', batch: 'n', without }).functions);
    const piece = '"from":{"kind":"integer","value":16},"to":{"kind":"integer","value":24}';
    expect(startsOf(new Set())).toContain(piece);
    expect(startsOf(new Set(['pieces']))).not.toContain(piece);
  });
});
