import { describe, expect, it } from 'vitest';
import {
  accumulated,
  add,
  addIndex,
  binary,
  constant,
  constantIndex,
  divide,
  extentValue,
  fetchIndex,
  indexOf,
  indexValue,
  multiply,
  negate,
  power,
  quotientIndex,
  read,
  remainderIndex,
  scaleIndex,
  select,
  subtract,
  subtractIndex,
  unary,
} from '../../compiler/graph/expressions.ts';
import { printExpression, printIndex, printProgram, printStatement } from '../../compiler/graph/print.ts';
import type { Expression, IndexExpression } from '../../compiler/graph/types.ts';
import { at, program, statement, tensor } from './support.ts';

const [a, b, c] = [at('a'), at('b'), at('c')];
const i = indexOf('i');
const u = indexOf('u');
const plus = (index: IndexExpression, number: number) => addIndex(index, constantIndex(number));

describe('expressions', () => {
  it.each<readonly [string, Expression]>([
    ['a + b + c', add(add(a, b), c)],
    ['a + (b + c)', add(a, add(b, c))],
    ['a - (b - c)', subtract(a, subtract(b, c))],
    ['a * b + c', add(multiply(a, b), c)],
    ['(a + b) * c', multiply(add(a, b), c)],
    ['a / b / c', divide(divide(a, b), c)],
    ['a / (b * c)', divide(a, multiply(b, c))],
    ['-a^2', negate(power(a, constant(2)))],
    ['(-a)^2', power(negate(a), constant(2))],
    ['a^b^c', power(a, power(b, c))],
    ['(a^b)^c', power(power(a, b), c)],
    ['a^-b', power(a, negate(b))],
    ['(-2)^a', power(constant(-2), a)],
    ['-(-a)', unary('negate', unary('negate', a))],
    ['-a * b', multiply(negate(a), b)],
    ['-a * b', negate(multiply(a, b))], // the same number
    ['a * -b', multiply(a, negate(b))],
    ['a - -1.5', subtract(a, constant(-1.5))],
    ['(a < b) + c', add(binary('less', a, b), c)],
    ['(a < b) < c', binary('less', binary('less', a, b), c)],
    ['not a == b', unary('not', binary('equal', a, b))],
    ['(not a) == b', binary('equal', unary('not', a), b)],
    ['a and b or c', binary('or', binary('and', a, b), c)],
    ['a and (b or c)', binary('and', a, binary('or', b, c))],
    ['a > b ? a : b', select(binary('greater', a, b), a, b)],
    ['(a ? b : c) + 1', add(select(a, b, c), constant(1))],
    ['a ? b : c ? a : b', select(a, b, select(c, a, b))],
    ['(a ? b : c) ? a : b', select(select(a, b, c), a, b)],
    ['max(a + b, mod(c, 2))', binary('max', add(a, b), binary('modulo', c, constant(2)))],
    ['relu(a + b)', unary('relu', add(a, b))],
    ['(x[i - 1] else 0) * a', multiply(at('x', [plus(i, -1)], 0), a)],
    ['exp(x[i - 1] else -inf)', unary('exp', at('x', [plus(i, -1)], -Infinity))],
    ['E[tokens[n, t], d]', read('E', [fetchIndex('tokens', [indexOf('n'), indexOf('t')]), indexOf('d')])],
    ['sin(2*i / 3)', unary('sin', divide(indexValue(scaleIndex(i, 2)), constant(3)))],
    ['(i + 1) * a', multiply(indexValue(plus(i, 1)), a)],
    ['floor(i / 2) * a', multiply(indexValue(quotientIndex(i, 2)), a)],
    ['a / n', divide(a, extentValue('n'))],
  ])('%s', (text, expression) => {
    expect(printExpression(expression)).toBe(text);
  });

  it.each<readonly [string, number]>([
    ['0', 0],
    ['-0', -0],
    ['0.1', 0.1],
    ['1e-8', 1e-8],
    ['1e21', 1e21],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['-inf', -Infinity],
  ])('the number %s reads back as the same', (text, value) => {
    expect(printExpression(constant(value))).toBe(text);
  });

  it('writes a constant as the user did, but in a program of its own not by the name of a dim', () => {
    expect(printExpression(constant(Math.PI, 'pi'), { standalone: true })).toBe('pi');
    expect(printExpression(constant(64, 'hidden'))).toBe('hidden');
    expect(printExpression(constant(64, 'hidden'), { standalone: true })).toBe('64');
  });
});

describe('index expressions', () => {
  it.each<readonly [string, IndexExpression]>([
    ['0', constantIndex(0)],
    ['2*i + u - 1', plus(addIndex(scaleIndex(i, 2), u), -1)],
    ['3 - i', plus(scaleIndex(i, -1), 3)],
    ['-i', scaleIndex(i, -1)],
    ['-i + u', subtractIndex(u, i)],
    ['i / 2', quotientIndex(i, 2)],
    ['(i + u) / 2 + 1', plus(quotientIndex(addIndex(i, u), 2), 1)],
    ['-(i / 2)', scaleIndex(quotientIndex(i, 2), -1)],
    ['3*(i / 2)', scaleIndex(quotientIndex(i, 2), 3)],
    ['i - (i / 2)', subtractIndex(i, quotientIndex(i, 2))],
    ['exact((i - u) / 2)', quotientIndex(subtractIndex(i, u), 2, true)],
    ['mod(i + 1, 2)', remainderIndex(plus(i, 1), 2)],
    ['a[i, 0]', fetchIndex('a', [i, constantIndex(0)])],
  ])('%s', (text, index) => {
    expect(printIndex(index)).toBe(text);
  });
});

const given = [
  tensor('x', 'input', ['n', 784]),
  tensor('W1', 'parameter', [784, 128], { initializer: { kind: 'uniform', low: -0.1, high: 0.1 } }),
  tensor('b1', 'parameter', [128]),
];
const product = multiply(at('x', ['n', 'i']), at('W1', ['i', 'j']));
const fused = statement('h', { n: 'n', j: 128, i: 784 }, product, {
  rank: 2,
  combine: 'sum',
  finish: unary('relu', add(accumulated, at('b1', ['j']))),
});

describe('statements', () => {
  it('print the finish around the reduction', () => {
    expect(printStatement(fused)).toBe('h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])');
  });

  it.each([
    ['sum', 'sum'],
    ['product', 'prod'],
    ['max', 'max'],
    ['logsumexp', 'logsumexp'],
    ['argmax', 'argmax'],
  ] as const)('call the ⊕ %s %s', (combine, name) => {
    const made = statement('y', { n: 'n', i: 784 }, at('x', ['n', 'i']), { rank: 1, combine });
    expect(printStatement(made)).toBe(`y[n] = ${name}[i](x[n, i])`);
  });

  it('print a ⊕ over nothing as its body', () => {
    const made = statement('y', { n: 'n' }, add(at('b1', [0]), constant(1)), { combine: 'sum' });
    expect(printStatement({ ...made, finish: multiply(accumulated, constant(2)) })).toBe(
      'y[n] = (b1[0] + 1) * 2',
    );
    expect(printStatement({ ...made, combine: 'argmax' })).toBe('y[n] = 0');
  });

  it('write out the extents that no axis shows', () => {
    const wide = statement(
      'y',
      { n: 'n', i: 784, k: 10, u: 3 },
      at('x', ['n', plus(addIndex(i, u), -1)], 0),
      {
        rank: 3,
        combine: 'sum',
      },
    );
    const made = program(given, [wide]);
    expect(printStatement(wide, made)).toBe('y[n, i: 784, k: 10] = sum[u: 3](x[n, i + u - 1] else 0)');
    const part = statement('y', { n: 'n', i: 5 }, at('x', ['n', 'i']));
    expect(printStatement(part, program(given, [part]))).toBe('y[n, i: 5] = x[n, i]');
  });

  it('take the extent from reads with padding only where these agree', () => {
    const one = statement('y', { j: 128 }, add(at('b1', ['j'], 0), at('W1', [0, 'j'], 0)));
    expect(printStatement(one, program(given, [one]))).toBe('y[j] = (b1[j] else 0) + (W1[0, j] else 0)');
    const two = statement('y', { j: 128 }, add(at('b1', ['j'], 0), at('W1', ['j', 0], 0)));
    expect(printStatement(two, program(given, [two]))).toBe('y[j: 128] = (b1[j] else 0) + (W1[j, 0] else 0)');
  });

  it('tell a run-time size from a loop index of its name', () => {
    const mean = divide(at('x', ['n', 'i']), extentValue('n'));
    expect(printStatement(statement('y', { n: 'n', i: 784 }, mean))).toBe('y[n, i] = x[n, i] / extent(n)');
    expect(printStatement(statement('y', {}, divide(at('s'), extentValue('n'))))).toBe('y = s / n');
  });

  it('print a scatter with its indices in another order as an assignment', () => {
    const write = [indexOf('d'), indexOf('n')];
    const turned = statement('y', { n: 4, d: 8 }, at('x', ['n', 'd']), { combine: 'sum', write });
    expect(printStatement(turned)).toBe('y[d, n] = x[n, d]');
  });

  it('print a scatter as an update', () => {
    const write = [fetchIndex('tokens', [indexOf('n')]), indexOf('d')];
    const scatter = statement('dE', { n: 'n', d: 8 }, at('dy', ['n', 'd']), { combine: 'sum', write });
    expect(printStatement(scatter)).toBe('dE[tokens[n], d] += dy[n, d] for n, d');
    expect(printStatement({ ...scatter, combine: 'max' })).toBe('dE[tokens[n], d] max= dy[n, d] for n, d');
  });
});

describe('programs', () => {
  it('print as a model with all sizes as numbers', () => {
    const label = tensor('label', 'input', ['n'], { element: 'integer', range: { least: 0, greatest: 9 } });
    const shift = tensor('shift', 'input', [], { element: 'integer', range: { least: -2, greatest: 2 } });
    const gain = tensor('gain', 'parameter', [2, 2], {
      initializer: { kind: 'values', values: [1, 2, 3, 4] },
      frozen: true,
    });
    const sum = statement('loss_sum', { n: 'n', j: 128 }, at('h', ['n', 'j']), { rank: 0, combine: 'sum' });
    const loss = statement('loss', {}, divide(at('loss_sum'), extentValue('n')));
    const worst = statement('worst', { n: 'n', j: 128 }, at('h', ['n', 'j']), { rank: 0, combine: 'max' });
    const gradient = statement('db1', { j: 128 }, divide(constant(1), extentValue('n')), {
      phase: 'backward',
    });
    const made = program([...given, gain, label, shift], [fused, sum, loss, worst, gradient], {
      outputs: ['h', 'x'],
      loss: 'loss',
      metrics: ['worst'],
      gradients: new Map([['b1', 'db1']]),
    });
    expect(printProgram(made)).toBe(`model Test {
  input x[n, 784]
  param W1[784, 128] ~ uniform(-0.1, 0.1)
  param b1[128] ~ zeros
  param gain[2, 2] ~ [[1, 2], [3, 4]]
  input label[n]: 10
  input shift: -2 .. 2

  output h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
  loss_sum = sum[n, j](h[n, j])
  loss = loss_sum / n
  metric worst = max[n, j](h[n, j])

  // the gradient
  output db1[j: 128] = 1 / n
  output x

  train { freeze: [gain] }
}
`);
  });

  it('name a loss of another name at the end', () => {
    const error = statement('error', {}, at('s'));
    const made = program([tensor('s', 'input', [])], [error], { loss: 'error' });
    expect(printProgram(made)).toBe('model Test {\n  input s\n\n  error = s\n  loss = error\n}\n');
  });

  it('print an update as an optimizer over whole tensors', () => {
    const [p, g] = [at('p', ['i']), at('g', ['i'])];
    const update = { phase: 'update' } as const;
    const moment = add(multiply(constant(0.9), at('m', ['i'])), g);
    const norm = statement('norm', { i: 'count' }, multiply(g, g), { ...update, rank: 0, combine: 'sum' });
    const step = subtract(p, multiply(at('rate'), divide(at("m'", ['i']), unary('sqrt', at('norm')))));
    const made = program(
      [
        tensor('p', 'parameter', ['count']),
        tensor('g', 'input', ['count']),
        tensor('m', 'state', ['count']),
        tensor('P', 'state', [], { initializer: { kind: 'constant', value: 1 } }),
        tensor('rate', 'scalar', []),
        tensor('t', 'scalar', []),
      ],
      [
        statement("m'", { i: 'count' }, moment, update),
        norm,
        statement("P'", {}, divide(at('P'), at('t')), update),
        statement("p'", { i: 'count' }, step, update),
      ],
    );
    expect(printProgram({ ...made, name: 'momentum' })).toBe(`optimizer momentum(rate) {
  state m ~ zeros
  state P[] ~ ones
  m' = 0.9 * m + g
  norm = sum(g * g)
  P' = P / t
  p' = p - rate * (m' / sqrt(norm))
}
`);
  });
});
