import { describe, expect, it } from 'vitest';
import {
  accumulated,
  add,
  addIndex,
  constant,
  constantIndex,
  extentValue,
  fetchIndex,
  indexOf,
  indexValue,
  multiply,
  quotientIndex,
  read,
  scaleIndex,
} from '../../compiler/graph/expressions.ts';
import type { Program, Statement, Tensor } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { at, program, statement, tensor } from './support.ts';

const x = tensor('x', 'input', ['n', 3]);
const W = tensor('W', 'parameter', [3, 4]);
const tokens = tensor('tokens', 'input', ['n'], { element: 'integer', range: { least: 0, greatest: 2 } });
const i = indexOf('i');
const next = addIndex(i, constantIndex(1));

/** The problems of a program of x, W, tokens and one statement. */
function problemsOf(made: Statement, target: Partial<Tensor> = {}, more: Partial<Program> = {}): string[] {
  return validate(program([x, W, tokens], [made], { targets: { [made.target]: target }, ...more }));
}

const copy = statement('h', { n: 'n', i: 3 }, at('x', ['n', 'i']));
const matmul = statement('h', { n: 'n', j: 4, i: 3 }, multiply(at('x', ['n', 'i']), at('W', ['i', 'j'])), {
  rank: 2,
  combine: 'sum',
});

describe('a sound program', () => {
  it('has no problems', () => {
    expect(problemsOf(copy)).toEqual([]);
    expect(problemsOf(matmul)).toEqual([]);
    expect(problemsOf({ ...matmul, finish: add(accumulated, at('W', [0, 'j'])) })).toEqual([]);
    expect(
      problemsOf(
        statement('E', { n: 'n', j: 4 }, read('W', [fetchIndex('tokens', [indexOf('n')]), indexOf('j')])),
      ),
    ).toEqual([]);
    expect(problemsOf(statement('h', { n: 'n', i: 3 }, at('x', ['n', next], 0)))).toEqual([]);
    const write = [fetchIndex('tokens', [indexOf('n')])];
    expect(
      problemsOf(statement('T', { n: 'n' }, constant(1), { combine: 'sum', write }), {
        axes: [3],
        axisNames: [''],
      }),
    ).toEqual([]);
  });
});

describe('a recurrence', () => {
  const steps = { t: 4, o: 2 };
  const scan = { group: 'a', index: 't', reversed: false };
  const before = addIndex(indexOf('t'), constantIndex(-1));
  const after = addIndex(indexOf('t'), constantIndex(1));
  const problems = (...statements: readonly Statement[]): string[] => validate(program([x], statements));
  const a = statement('a', steps, at('b', [before, 'o'], 0), { scan });
  const b = statement('b', steps, at('a', ['t', 'o']), { scan });

  it('reads earlier steps of all its tensors, and what stands before at the same step', () => {
    expect(problems(a, b)).toEqual([]);
    const reversed = { ...scan, reversed: true };
    expect(
      problems(
        { ...statement('a', steps, at('b', [after, 'o'], 0)), scan: reversed },
        { ...b, scan: reversed },
      ),
    ).toEqual([]);
  });

  it.each([
    [
      'reads no later step',
      { ...a, body: at('b', [after, 'o'], 0) },
      b,
      'at another step than an earlier one',
    ],
    ['reads no fixed step', { ...a, body: at('b', [0, 'o']) }, b, 'at another step than an earlier one'],
    ['reads at its step only what stands before', { ...a, body: at('b', ['t', 'o']) }, b, 'in a step before'],
    ['writes at its step', { ...a, scan: { ...scan, index: 's' } }, b, 'does not write at it'],
    ['is called as its first statement', a, { ...b, scan: { ...scan, group: 'c' } }, 'before it is written'],
    ['runs one way', a, { ...b, scan: { ...scan, reversed: true } }, 'runs both ways'],
    ['has one number of steps', a, { ...statement('b', { t: 3, o: 2 }, constant(1)), scan }, 'has 4 steps'],
  ])('%s', (_, first, second, says) => {
    expect(problems(first, second).join('\n')).toContain(says);
  });
});

describe.each<{
  readonly rule: string;
  readonly made: Statement;
  readonly target?: Partial<Tensor>;
  readonly says: string;
}>([
  {
    rule: 'reads what is declared',
    made: statement('h', {}, at('y')),
    says: 'it reads y, which is not declared',
  },
  {
    rule: 'reads after the write',
    made: statement('h', { i: 3 }, at('h', ['i'])),
    says: 'it reads h before it is written',
  },
  {
    rule: 'reads every axis',
    made: statement('h', { n: 'n' }, at('x', ['n'])),
    says: 'it reads at 1 indices x of 2 axes',
  },
  {
    rule: 'binds its indices',
    made: statement('h', { n: 'n' }, at('x', ['n', 'i'])),
    says: 'index i is not bound',
  },
  {
    rule: 'reads inside',
    made: statement('h', { n: 'n', i: 3 }, at('x', ['n', next])),
    says: 'it may read outside axis 1 of x',
  },
  {
    rule: 'reads a run-time axis at its own index',
    made: statement('h', { i: 3 }, at('x', ['i', 0])),
    says: 'it may read outside axis 0 of x',
  },
  {
    rule: 'gives a value where an exact quotient is not whole',
    made: statement('h', { i: 3, j: 4 }, at('W', [quotientIndex(i, 2, true), 'j'])),
    says: 'an exact quotient reads W without a value for outside',
  },
  {
    rule: 'uses no exact quotient as a number',
    made: statement('h', { i: 3 }, indexValue(quotientIndex(i, 2, true))),
    says: 'an exact quotient is used as a number',
  },
  {
    rule: 'fetches from integer tensors',
    made: statement('h', { n: 'n', i: 3 }, read('W', [fetchIndex('x', [indexOf('n'), i]), constantIndex(0)])),
    says: 'x is used as an index, but is no integer tensor',
  },
  {
    rule: 'fetches inside',
    made: statement('h', { i: 3 }, read('W', [fetchIndex('tokens', [i]), constantIndex(0)])),
    says: 'it may read outside axis 0 of tokens',
  },
  {
    rule: 'writes every axis',
    made: { ...copy, write: [indexOf('n')] },
    target: { axes: ['n', 3], axisNames: ['', ''] },
    says: 'it writes at 1 indices a tensor of 2 axes',
  },
  {
    rule: 'covers the axes it writes',
    made: statement('h', { i: 3 }, constant(1)),
    target: { axes: [4] },
    says: 'index i runs to 3, but axis 0 of its target to 4',
  },
  {
    rule: 'writes inside',
    made: statement('h', { i: 3 }, constant(1), { combine: 'sum', write: [scaleIndex(i, 2)] }),
    target: { axes: [4] },
    says: 'it may write outside axis 0 of its target',
  },
  {
    rule: 'assigns once',
    made: statement('h', { n: 'n', i: 3 }, at('x', ['n', 'i']), { rank: 1 }),
    says: 'it assigns, but not every index is written: several values meet in one element',
  },
  {
    rule: 'does not assign by a scatter',
    made: statement('h', { i: 3 }, constant(1), { write: [scaleIndex(i, 2)] }),
    target: { axes: [5] },
    says: 'a scatter that assigns',
  },
  {
    rule: 'keeps places in integers',
    made: { ...matmul, combine: 'argmax' },
    says: 'argmax into a tensor of element real',
  },
  {
    rule: 'has a finish of written indices',
    made: { ...matmul, finish: at('W', ['i', 'j']) },
    says: 'its finish uses the reduced index i',
  },
  {
    rule: 'accumulates in the finish only',
    made: { ...copy, body: accumulated },
    says: 'the accumulated value is used in the body',
  },
  {
    rule: 'has index names of its own',
    made: { ...copy, indices: [...copy.indices, { name: 'i', extent: 3 }] },
    says: 'two of its indices have one name',
  },
  {
    rule: 'has whole sizes',
    made: statement('h', { i: 2.5 }, constant(1)),
    says: 'index i has no size: 2.5',
  },
  {
    rule: 'has sizes that are known at run time',
    made: statement('h', { m: 'm' }, constant(1)),
    says: 'index m runs to m, which is no axis of a given tensor',
  },
  {
    rule: 'uses sizes that are known at run time',
    made: statement('h', {}, extentValue('m')),
    says: 'm is no axis of a given tensor',
  },
  {
    rule: 'has whole coefficients',
    made: statement('h', { i: 3 }, at('W', [scaleIndex(i, 0.5), 0])),
    says: '0.5 in an index is no integer',
  },
  {
    rule: 'has constants that are numbers',
    made: statement('h', {}, constant(NaN)),
    says: 'a constant that is not a number',
  },
])('a statement', ({ rule, made, target, says }) => {
  it(`${rule}`, () => {
    expect(problemsOf(made, target)).toContain(`statement ${made.target}: ${says}`);
  });
});

describe('a program', () => {
  it('has one statement for a tensor, and one for every intermediate', () => {
    const sound = program([x, W, tokens], [copy]);
    const twice = { ...sound, statements: [copy, copy] };
    expect(validate(twice)).toEqual(['statement h: a second statement writes this tensor']);
    expect(validate({ ...sound, statements: [] })).toEqual(['tensor h: no statement writes it']);
  });

  it('writes only intermediates', () => {
    const sound = program([x, W, tokens], [copy]);
    const intoInput = {
      ...sound,
      statements: [...sound.statements, { ...copy, target: 'x', body: at('h', ['n', 'i']) }],
    };
    expect(validate(intoInput)).toEqual(['statement x: its target is a tensor of role input']);
  });

  it('has the outputs, metrics, loss and gradients it names', () => {
    const more = {
      outputs: ['o'],
      metrics: ['h'],
      loss: 'l',
      gradients: new Map([
        ['W', 'h'],
        ['x', 'dx'],
      ]),
    };
    expect(problemsOf(copy, {}, more)).toEqual([
      'output o does not exist',
      'metric h has 2 axes',
      'loss l does not exist',
      'gradient h has the axes [n,3], W [3,4]',
      'x has a gradient, but is no parameter',
      'gradient dx of x does not exist',
    ]);
  });
});

describe('a tensor', () => {
  const { initializer: _, ...uninitialized } = W;
  it.each<{ readonly made: Tensor; readonly says: string }>([
    { made: uninitialized, says: 'parameter without an initializer' },
    { made: { ...x, initializer: { kind: 'constant', value: 0 } }, says: 'input with an initializer' },
    { made: { ...x, axisNames: [] }, says: '2 axes but 0 names of axes' },
    { made: { ...x, range: { least: 0, greatest: 1 } }, says: 'a range, but no integer tensor' },
    { made: { ...tokens, range: { least: 1, greatest: 0 } }, says: 'an empty range' },
    { made: tensor('s', 'scalar', [3]), says: 'a scalar with axes' },
    { made: { ...W, element: 'integer' }, says: 'an integer parameter' },
    {
      made: { ...W, initializer: { kind: 'values', values: [1, 2] } },
      says: '2 first values for 12 elements',
    },
  ])('is refused: $says', ({ made, says }) => {
    expect(validate(program([made], []))).toEqual([`tensor ${made.name}: ${says}`]);
  });
});
