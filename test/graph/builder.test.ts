import { describe, expect, it } from 'vitest';
import { countOf, inOrder, ProgramBuilder, withStatements } from '../../compiler/graph/builder.ts';
import { add, divide, indexOf, multiply, unary } from '../../compiler/graph/expressions.ts';
import { printExpression, printStatement } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { at, loops, origin, program, statement, tensor } from './support.ts';

const [n, j, i] = loops({ n: 'n', j: 4, i: 3 });
const all = loops({ n: 'n', j: 4, i: 3 });

function builder(): ProgramBuilder {
  const made = new ProgramBuilder('Test');
  made.declare(tensor('x', 'input', ['n', 3]));
  made.declare(tensor('W', 'parameter', [3, 4]));
  return made;
}

const lines = (made: Program) => made.statements.map((line) => printStatement(line, made));
const product = multiply(at('x', ['n', 'i']), at('W', ['i', 'j']));

describe('the builder', () => {
  it('hoists a reduction into a statement over the free indices of its body, then the reduced ones', () => {
    const made = builder();
    const sum = made.reduce({ operator: 'sum', over: [i!], loops: all, body: product, target: 'h', origin });
    made.define({ target: 'h', indices: [n!, j!], body: unary('relu', sum), origin });
    const built = made.build();
    expect(lines(built)).toEqual(['h_sum[n, j] = sum[i](x[n, i] * W[i, j])', 'h[n, j] = relu(h_sum[n, j])']);
    expect(built.tensors.get('h_sum')).toMatchObject({
      axes: ['n', 4],
      axisNames: ['n', 'j'],
      element: 'real',
    });
    expect(validate(built)).toEqual([]);
  });

  it('makes a mean a sum divided by the number of terms', () => {
    const made = builder();
    const body = at('x', ['n', 'i']);
    const mean = made.reduce({ operator: 'mean', over: [n!, i!], loops: all, body, target: 'loss', origin });
    made.define({ target: 'loss', indices: [], body: mean, origin });
    made.loss('loss');
    expect(lines(made.build())).toEqual(['loss_sum = sum[n, i](x[n, i])', 'loss = loss_sum / (3 * n)']);
    expect(validate(made.build())).toEqual([]);
  });

  it('gives scalars and logsumexp float64, and places int32 with their range', () => {
    const made = builder();
    const body = at('x', ['n', 'i']);
    const request = { loops: all, body, origin };
    made.reduce({ ...request, operator: 'sum', over: [n!, i!], target: 'a' });
    made.reduce({ ...request, operator: 'logsumexp', over: [i!], target: 'b' });
    made.reduce({ ...request, operator: 'argmax', over: [i!], target: 'c' });
    made.reduce({ ...request, operator: 'argmin', over: [n!], target: 'd' });
    const { tensors } = made.build();
    expect(tensors.get('a_sum')).toMatchObject({ axes: [], element: 'double' });
    expect(tensors.get('b_logsumexp')).toMatchObject({ axes: ['n'], element: 'double' });
    expect(tensors.get('c_argmax')).toMatchObject({ element: 'integer', range: { least: 0, greatest: 2 } });
    expect(tensors.get('d_argmin')?.range).toEqual({ least: 0, greatest: 2 ** 31 - 1 });
  });

  it('hoists equal reductions once, whatever their indices are called', () => {
    const made = builder();
    const first = made.reduce({
      operator: 'sum',
      over: [i!],
      loops: all,
      body: product,
      target: 'a',
      origin,
    });
    const renamed = loops({ m: 'n', k: 4, u: 3 });
    const second = made.reduce({
      operator: 'sum',
      over: [renamed[2]!],
      loops: renamed,
      body: multiply(at('x', ['m', 'u']), at('W', ['u', 'k'])),
      target: 'b',
      origin,
    });
    expect(printExpression(first)).toBe('a_sum[n, j]');
    expect(printExpression(second)).toBe('a_sum[m, k]');
    expect(made.build().statements).toHaveLength(1);
  });

  it('does not take reductions over other extents, of other order or by another ⊕ for equal', () => {
    const made = builder();
    made.declare(tensor('s', 'input', []));
    const request = { loops: all, body: at('s'), target: 'a', origin };
    made.reduce({ ...request, operator: 'sum', over: loops({ u: 2 }) });
    made.reduce({ ...request, operator: 'sum', over: loops({ u: 3 }) });
    made.reduce({ ...request, operator: 'max', over: loops({ u: 3 }) });
    expect(lines(made.build())).toEqual([
      'a_sum = sum[u: 2](s)',
      'a_sum2 = sum[u: 3](s)',
      'a_max = max[u: 3](s)',
    ]);
  });

  it('takes a reduction over no index for its body, and the only place for 0', () => {
    const made = builder();
    const body = at('x', ['n', 'i']);
    const request = { over: [], loops: all, body, target: 'a', origin };
    expect(made.reduce({ ...request, operator: 'mean' })).toBe(body);
    expect(printExpression(made.reduce({ ...request, operator: 'argmax' }))).toBe('0');
    expect(made.build().statements).toEqual([]);
  });

  it('does not make up names that are reserved', () => {
    const made = builder();
    made.reserve('h_sum');
    const sum = made.reduce({ operator: 'sum', over: [i!], loops: all, body: product, target: 'h', origin });
    expect(printExpression(sum)).toBe('h_sum2[n, j]');
  });

  it('refuses a tensor declared twice and an index that is not among the loops', () => {
    const made = builder();
    expect(() => made.declare(tensor('x', 'input', []))).toThrow('x is declared twice');
    const request = { operator: 'sum', over: [i!], loops: [n!], body: product, target: 'h', origin } as const;
    expect(() => made.reduce(request)).toThrow('index j');
  });

  it('goes on where a program ends', () => {
    const made = builder();
    made.define({ target: 'y', indices: [n!, i!], body: at('x', ['n', 'i']), origin });
    made.output('y');
    const more = ProgramBuilder.from(made.build(), 'backward');
    more.define({ target: 'z', indices: [n!, i!], body: at('y', ['n', 'i']), origin });
    const built = more.build();
    expect(built.statements.map((line) => [line.target, line.phase])).toEqual([
      ['y', 'forward'],
      ['z', 'backward'],
    ]);
    expect(built.outputs).toEqual(['y']);
  });
});

describe('helpers of passes', () => {
  const a = statement('a', { i: 3 }, at('x', ['i']));
  const b = statement('b', { i: 3 }, at('a', ['i']));
  const c = statement('c', { i: 3 }, add(at('a', ['i']), at('b', ['i'])));

  it('count the points of a box', () => {
    expect(printExpression(countOf(loops({ i: 3, j: 4 })))).toBe('12');
    expect(printExpression(countOf(loops({ i: 3, n: 'n' })))).toBe('3 * n');
    expect(printExpression(countOf(loops({ n: 'n' })))).toBe('n');
  });

  it('order statements by what they read, and leave them where that holds', () => {
    expect(inOrder([c, b, a])).toEqual([a, b, c]);
    expect(inOrder([b, a, c])).toEqual([a, b, c]);
    const independent = statement('d', { i: 3 }, at('x', ['i']));
    expect(inOrder([independent, a, b])).toEqual([independent, a, b]);
  });

  it('refuse a circle', () => {
    const back = statement('a', { i: 3 }, at('c', ['i']));
    expect(() => inOrder([back, b, c])).toThrow('depends on itself');
  });

  it('need no stack for a long chain', () => {
    const chain = Array.from({ length: 5000 }, (_, step) =>
      statement(`s${step}`, { i: 3 }, at(step === 0 ? 'x' : `s${step - 1}`, ['i'])),
    );
    expect(inOrder(chain.toReversed())).toEqual(chain);
  });

  it('replace the statements of a program, and its intermediates with them', () => {
    const before = program([tensor('x', 'input', [3])], [a, b]);
    const halved = statement('b', { i: 3 }, divide(at('x', ['i']), at('x', ['i'])));
    const after = withStatements(before, [halved]);
    expect([...after.tensors.keys()]).toEqual(['x', 'b']);
    expect(validate(after)).toEqual([]);
    expect(() => withStatements(before, [statement('new', {}, at('x', [indexOf('i')]))])).toThrow('new');
  });
});
