import { describe, expect, it } from 'vitest';
import {
  add,
  addIndex,
  binary,
  constant,
  constantIndex,
  divide,
  equalExpressions,
  expressionKey,
  fetchIndex,
  fetchedTensors,
  foldExpression,
  freeIndices,
  freshName,
  indexOf,
  indexValue,
  Interner,
  isScatter,
  mapExpression,
  multiply,
  negate,
  power,
  postorder,
  read,
  reads,
  reducedIndices,
  renameTensors,
  replaceAccumulated,
  accumulated,
  select,
  substituteIndices,
  subtract,
  tensorsReadBy,
  unary,
} from '../../compiler/graph/expressions.ts';
import { printExpression } from '../../compiler/graph/print.ts';
import type { Expression } from '../../compiler/graph/types.ts';
import { at, statement } from './support.ts';

const x = at('x', ['i']);
const y = at('y', ['j']);

/** 2^depth paths, depth + 1 nodes. */
function doubled(depth: number): Expression {
  let expression: Expression = x;
  for (let level = 0; level < depth; level++) expression = add(expression, expression);
  return expression;
}

/** The sum of `count` terms, nested to the left as it is parsed. */
function longSum(count: number): Expression {
  let expression: Expression = x;
  for (let term = 1; term < count; term++) expression = add(expression, y);
  return expression;
}

describe('constructors', () => {
  it('fold neutral elements', () => {
    expect(add(x, constant(0))).toBe(x);
    expect(add(constant(0), x)).toBe(x);
    expect(subtract(x, constant(0))).toBe(x);
    expect(subtract(constant(0), x)).toEqual(negate(x));
    expect(multiply(x, constant(1))).toBe(x);
    expect(divide(x, constant(1))).toBe(x);
    expect(power(x, constant(1))).toBe(x);
    expect(negate(negate(x))).toBe(x);
    expect(negate(constant(2))).toEqual(constant(-2));
  });

  it('do not fold 0 * x, which is no zero for an infinite x', () => {
    expect(multiply(constant(0), x)).toEqual(binary('multiply', constant(0), x));
  });

  it('choose the branch of a constant condition, and turn a constant index into a number', () => {
    expect(select(constant(1), x, y)).toBe(x);
    expect(select(constant(0), x, y)).toBe(y);
    expect(indexValue(constantIndex(3))).toEqual(constant(3));
  });
});

describe('walks', () => {
  it('visit each shared node once, operands first', () => {
    const shared = add(x, y);
    const root = multiply(shared, shared);
    expect(postorder(root)).toEqual([x, y, shared, root]);
    expect(postorder(doubled(100))).toHaveLength(101);
  });

  it('need no stack for a very long sum', () => {
    const sum = longSum(100_000);
    expect(foldExpression<number>(sum, (_, operands) => 1 + Math.max(0, ...operands))).toBe(100_000);
    expect(mapExpression(sum, (node) => node)).toBe(sum);
  });

  it('keep the very node where nothing changes, and keep sharing where something does', () => {
    const shared = unary('exp', x);
    const root = add(shared, unary('log', shared));
    expect(mapExpression(root, (node) => node)).toBe(root);
    const renamed = renameTensors(root, new Map([['x', 'z']]));
    expect(postorder(renamed)).toHaveLength(4);
    expect(printExpression(renamed)).toBe('exp(z[i]) + log(exp(z[i]))');
  });

  it('rename fetched tensors too', () => {
    const embedding = read('E', [fetchIndex('tokens', [indexOf('n')])]);
    const renamed = renameTensors(embedding, new Map([['tokens', 'words']]));
    expect(printExpression(renamed)).toBe('E[words[n]]');
    expect(renamed).not.toBe(embedding);
  });

  it('substitute indices in reads, fetches and index values, all at once', () => {
    const i = indexOf('i');
    const root = multiply(read('E', [fetchIndex('tokens', [i]), indexOf('j')]), indexValue(addIndex(i, i)));
    const swapped = new Map([
      ['i', indexOf('j')],
      ['j', addIndex(i, constantIndex(1))],
    ]);
    expect(printExpression(substituteIndices(root, swapped))).toBe('E[tokens[j], i + 1] * (2*j)');
    expect(substituteIndices(i, swapped)).toEqual(indexOf('j'));
  });

  it('put a value in the place of the accumulated one', () => {
    const finish = unary('relu', add(accumulated, y));
    expect(replaceAccumulated(finish, x)).toEqual(unary('relu', add(x, y)));
  });
});

describe('questions', () => {
  const embedding = multiply(read('E', [fetchIndex('tokens', [indexOf('n')]), indexOf('d')]), x);

  it('find free indices, reads and fetched tensors', () => {
    expect([...freeIndices(embedding)]).toEqual(['n', 'd', 'i']);
    expect(reads(embedding).map((node) => node.tensor)).toEqual(['E', 'x']);
    expect([...fetchedTensors(embedding)]).toEqual(['tokens']);
  });

  it('find all that a statement reads, in its write map and its finish too', () => {
    const scatter = statement('T', { n: 4 }, x, {
      combine: 'sum',
      write: [fetchIndex('tokens', [indexOf('n')])],
    });
    expect([...tensorsReadBy(scatter)]).toEqual(['x', 'tokens']);
    const finished = statement('T', { i: 4 }, x, { finish: add(accumulated, at('b', ['i'])) });
    expect([...tensorsReadBy(finished)]).toEqual(['x', 'b']);
  });

  it('tell a scatter from a plain write', () => {
    expect(isScatter(statement('T', { i: 2, j: 3, u: 4 }, x, { rank: 2, combine: 'sum' }))).toBe(false);
    expect(isScatter(statement('T', {}, x))).toBe(false);
    for (const write of [['j', 'i'], ['i', 'i'], [0]]) {
      const indices = write.map((index) =>
        typeof index === 'string' ? indexOf(index) : constantIndex(index),
      );
      expect(isScatter(statement('T', { i: 2, j: 2 }, x, { write: indices, combine: 'sum' }))).toBe(true);
    }
  });

  it('name the indices that are reduced', () => {
    const sum = statement('T', { i: 2, u: 3, v: 4 }, x, { rank: 1, combine: 'sum' });
    expect(reducedIndices(sum).map((index) => index.name)).toEqual(['u', 'v']);
  });

  it('make names that are not taken', () => {
    const taken = new Set(['h_sum', 'h_sum2', 'W1']);
    expect(freshName('z', taken)).toBe('z');
    expect(freshName('h_sum', taken)).toBe('h_sum3');
    expect(freshName('W1', taken)).toBe('W1_2');
  });
});

describe('structural equality', () => {
  it('does not see sharing or how a constant was written', () => {
    const shared = unary('exp', x);
    const left = add(shared, shared);
    const right = add(unary('exp', at('x', ['i'])), unary('exp', at('x', ['i'])));
    expect(equalExpressions(left, right)).toBe(true);
    expect(expressionKey(left)).toBe(expressionKey(right));
    expect(equalExpressions(constant(Math.PI, 'pi'), constant(Math.PI))).toBe(true);
  });

  it('sees everything else', () => {
    const different = [
      x,
      y,
      at('x', ['j']),
      at('x', ['i'], 0),
      at('x', ['i'], 1),
      constant(0),
      constant(-0),
      add(x, y),
      add(y, x),
      subtract(x, y),
      unary('exp', x),
      select(x, x, y),
      select(x, y, x),
      indexValue(indexOf('i')),
    ];
    const interner = new Interner();
    expect(new Set(different.map((expression) => interner.idOf(expression))).size).toBe(different.length);
    expect(new Set(different.map(expressionKey)).size).toBe(different.length);
  });

  it('takes linear time on shared structures', () => {
    expect(equalExpressions(doubled(5000), doubled(5000))).toBe(true);
    expect(equalExpressions(doubled(5000), doubled(4999))).toBe(false);
  });

  it('gives the first of its structure as representative', () => {
    const interner = new Interner();
    interner.idOf(x);
    expect(interner.representative(at('x', ['i']))).toBe(x);
  });
});
