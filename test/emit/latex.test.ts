import { describe, expect, it } from 'vitest';
import { emitLatex } from '../../compiler/emit/latex.ts';
import {
  add,
  addIndex,
  binary,
  binaryOperators,
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
  unary,
  unaryOperators,
  zero,
} from '../../compiler/graph/expressions.ts';
import type { BinaryOperator, Expression, UnaryOperator } from '../../compiler/graph/types.ts';
import { at, gradientOf, input, integers, parameter, program } from '../calculus/support.ts';

const x = read('x', at('i'));
const y = read('y', at('i'));

/** The right side of `z[i] = body`. */
async function rightSide(body: Expression): Promise<string> {
  const tensors = [input('x', 8), input('y', 8), integers('tokens', 7, 8)];
  const text = await emitLatex(program(tensors, [{ target: 'z', indices: { i: 8 }, body }]));
  return /z_\{i\} &= (.*)\n/.exec(text)?.[1] ?? text;
}

describe('LaTeX of a program', () => {
  it('has an aligned block for each statement, with its place and what was done', async () => {
    const source = program(
      [input('x', 'n', 4), parameter('W', 4, 3)],
      [
        {
          target: 'h',
          indices: { n: 'n', j: 3 },
          over: { i: 4 },
          body: multiply(read('x', at('n', 'i')), read('W', at('i', 'j'))),
        },
        { target: 'loss', over: { n: 'n', j: 3 }, body: unary('tanh', read('h', at('n', 'j'))) },
      ],
    );
    expect(await emitLatex(gradientOf(source))).toBe(
      [
        '% test.dsl:1',
        '\\begin{aligned}',
        '  h_{n, j} &= \\sum_{i} x_{n, i} \\cdot W_{i, j}',
        '\\end{aligned}',
        '',
        '% test.dsl:1',
        '\\begin{aligned}',
        '  \\mathit{loss} &= \\sum_{n, j} \\tanh\\left(h_{n, j}\\right)',
        '\\end{aligned}',
        '',
        '% test.dsl:1 (adjoint of loss)',
        '\\begin{aligned}',
        '  \\mathit{dh}_{n, j} &= 1-{\\tanh\\left(h_{n, j}\\right)}^{2}',
        '\\end{aligned}',
        '',
        '% test.dsl:1 (adjoint of h)',
        '\\begin{aligned}',
        '  \\mathit{dW}_{i, j} &= \\sum_{n} \\mathit{dh}_{n, j} \\cdot x_{n, i}',
        '\\end{aligned}',
        '',
      ].join('\n'),
    );
  });

  it('writes a scatter as an update for all its indices', async () => {
    const source = program(
      [parameter('E', 5, 2), integers('tokens', 4, 'n')],
      [
        { target: 'y', indices: { n: 'n', d: 2 }, body: read('E', at(fetchIndex('tokens', at('n')), 'd')) },
        { target: 'loss', over: { n: 'n', d: 2 }, body: read('y', at('n', 'd')) },
      ],
    );
    expect(await emitLatex(gradientOf(source))).toContain(
      '\\mathit{dE}_{\\mathit{tokens}_{n}, d} &\\mathrel{+}= \\mathit{dy}_{n, d} \\quad \\forall\\, n, d',
    );
  });

  it.each([
    ['a product of sums', multiply(add(x, y), y), '\\left(x_{i}+y_{i}\\right) \\cdot y_{i}'],
    ['a quotient', divide(add(x, y), y), '\\frac{x_{i}+y_{i}}{y_{i}}'],
    ['a power of a negative number', power(constant(-2), x), '{\\left(-2\\right)}^{x_{i}}'],
    ['a sign behind an operator', multiply(x, negate(y)), 'x_{i} \\cdot \\left(-y_{i}\\right)'],
    [
      'a difference of a difference',
      binary('subtract', x, binary('subtract', x, y)),
      'x_{i}-\\left(x_{i}-y_{i}\\right)',
    ],
    [
      'small numbers and named ones',
      multiply(constant(1e-8), constant(Math.PI, 'pi')),
      '1 \\times 10^{-8} \\cdot \\pi',
    ],
    ['a run-time size', divide(x, extentValue('n')), '\\frac{x_{i}}{\\left|n\\right|}'],
    [
      'an index as a number',
      multiply(indexValue(addIndex(indexOf('i'), constantIndex(1))), x),
      '(i + 1) \\cdot x_{i}',
    ],
    [
      'a choice',
      select(binary('less', x, y), x, zero),
      '\\begin{cases} {x_{i}}, &\\quad{\\text{if }\\;x_{i}<y_{i}}\\\\{0}, &\\quad{\\text{otherwise}}\\end{cases}',
    ],
  ])('%s', async (_, body, expected) => {
    expect(await rightSide(body)).toBe(expected);
  });

  it.each([
    [
      'outside',
      read('x', at(addIndex(indexOf('i'), constantIndex(-1))), -Infinity),
      '\\left[x_{i - 1}\\right]_{-\\infty}',
    ],
    ['fetched', read('x', at(fetchIndex('tokens', at('i')))), 'x_{\\mathit{tokens}_{i}}'],
    [
      'remainder',
      read('x', at(remainderIndex(addIndex(indexOf('i'), constantIndex(1)), 8))),
      'x_{((i + 1) \\bmod 8)}',
    ],
    ['quotient', read('x', at(quotientIndex(indexOf('i'), 2))), 'x_{\\lfloor i / 2 \\rfloor}'],
    [
      'exact quotient',
      read('x', at(quotientIndex(indexOf('i'), 2, true)), 0),
      '\\left[x_{(i / 2)}\\right]_{0}',
    ],
    [
      'a negative coefficient',
      read('x', at(addIndex(scaleIndex(indexOf('i'), -1), constantIndex(7)))),
      'x_{-i + 7}',
    ],
  ])('a place: %s', async (_, body, expected) => {
    expect(await rightSide(body)).toBe(expected);
  });

  it('keeps comparisons of comparisons apart', async () => {
    const large = binary('greater', x, constant(0.5));
    const equal = binary('equal', y, x);
    const rows: readonly (readonly [Expression, string])[] = [
      [binary('equal', large, y), '\\left(x_{i}>0.5\\right)=y_{i}'],
      [binary('not_equal', y, large), 'y_{i} \\neq \\left(x_{i}>0.5\\right)'],
      [binary('less', large, equal), '\\left(x_{i}>0.5\\right)<\\left(y_{i}=x_{i}\\right)'],
      [binary('less', y, negate(x)), 'y_{i}<\\left(-x_{i}\\right)'],
      [binary('less_equal', large, y), '\\left(x_{i}>0.5\\right) \\leq y_{i}'],
      [unary('not', y), '\\neg y_{i}'],
      [binary('modulo', x, y), 'x_{i} \\mod y_{i}'],
      [binary('and', large, equal), 'x_{i}>0.5 \\wedge y_{i}=x_{i}'],
    ];
    for (const [body, tex] of rows) expect(await rightSide(body)).toBe(tex);
  });

  it('has a form for every operator', async () => {
    for (const operator of Object.keys(unaryOperators) as UnaryOperator[])
      expect(await rightSide(unary(operator, x)), operator).toMatch(/x_\{i\}/);
    for (const operator of Object.keys(binaryOperators) as BinaryOperator[]) {
      const text = await rightSide(binary(operator, x, y));
      expect(text, operator).toMatch(/x_\{i\}.*y_\{i\}/);
      expect(text, operator).not.toMatch(/undefined|leaf/);
    }
  });
});
