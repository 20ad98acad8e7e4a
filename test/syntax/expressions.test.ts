import { describe, expect, test } from 'vitest';
import { bare, expression, show } from './helpers.ts';

const reads = (text: string): string => show(expression(text));

describe('precedence', () => {
  test.each([
    ['-x^2', '(- (^ x 2))'],
    ['a^b^c', '(^ a (^ b c))'],
    ['2^-x^2', '(^ 2 (- (^ x 2)))'],
    ['-x * y', '(* (- x) y)'],
    ['x * -y', '(* x (- y))'],
    ['--x', '(- (- x))'],
    ['a - b - c', '(- (- a b) c)'],
    ['a / b * c', '(* (/ a b) c)'],
    ['a + b * c ^ d', '(+ a (* b (^ c d)))'],
    ['(a + b) * c', '(* (+ a b) c)'],
    ['a + b < c * d', '(< (+ a b) (* c d))'],
    ['not a == b', '(not (== a b))'],
    ['not not a', '(not (not a))'],
    ['not a and b', '(and (not a) b)'],
    ['a or b and c', '(or a (and b c))'],
    ['a and b or c and d', '(or (and a b) (and c d))'],
    ['a or b ? c : d', '(? (or a b) c d)'],
    ['-x[i]^2', '(- (^ (read x i) 2))'],
    ['f(x)^2', '(^ (f x) 2)'],
    ['(-2)^2', '(^ (- 2) 2)'],
  ])('%s', (text, tree) => expect(reads(text)).toBe(tree));

  test.each(['<', '<=', '>', '>=', '==', '!='])('the comparison %s', (sign) => {
    expect(reads(`a ${sign} b`)).toBe(`(${sign} a b)`);
  });
});

describe('conditionals', () => {
  test.each([
    ['a ? b : c', '(? a b c)'],
    ['a ? b : c ? d : e', '(? a b (? c d e))'],
    ['a ? b ? c : d : e', '(? a (? b c d) e)'],
    ['a < 0 ? -a : a', '(? (< a 0) (- a) a)'],
    ['1 + (a ? b : c)', '(+ 1 (? a b c))'],
    ['a ? b |> f : c', '(? a (f b) c)'],
  ])('%s', (text, tree) => expect(reads(text)).toBe(tree));
});

describe('the pipe', () => {
  test.each([
    ['x |> f', '(f x)'],
    ['x |> f(a, b = 2)', '(f x a b=2)'],
    ['x |> f[k]', '(f[k] x)'],
    ['x |> f[k](a)', '(f[k] x a)'],
    ['x |> f |> g', '(g (f x))'],
    ['a + b |> f', '(f (+ a b))'],
    ['a or b |> f', '(f (or a b))'],
    ['a ? b : c |> f', '(f (? a b c))'],
    ['1 + (x |> f)', '(+ 1 (f x))'],
    ['g(x |> f, y)', '(g (f x) y)'],
  ])('%s', (text, tree) => expect(reads(text)).toBe(tree));

  test('is told apart from a call', () => {
    expect(expression('x |> f')).toMatchObject({ kind: 'call', piped: true });
    expect(expression('f(x)')).toMatchObject({ kind: 'call', piped: false });
  });
});

describe('reads and calls', () => {
  test.each([
    ['x[n, i - 1]', '(read x n (- i 1))'],
    ['x[.., i]', '(read x .. i)'],
    ['E[tokens[n, t], d]', '(read E (read tokens n t) d)'],
    ['x[i][j]', '(read (read x i) j)'],
    ['(x + y)[n]', '(read (+ x y) n)'],
    ['f(x)[n]', '(read (f x) n)'],
    ['f()', '(f)'],
    ['sum[i, j](x[i, j])', '(sum[i j] (read x i j))'],
    ['max(a, b)', '(max a b)'],
    ['adam(rate = 1e-3)', '(adam rate=1e-3)'],
    ['f(x = a == b)', '(f x=(== a b))'],
    ['loss', 'loss'],
    ['loss + 1', '(+ loss 1)'],
  ])('%s', (text, tree) => expect(reads(text)).toBe(tree));

  test('the indices that a call binds may have extents', () => {
    expect(bare(expression('max[u: 2, v](x)'))).toMatchObject({
      binders: [{ text: 'u', extent: { kind: 'number', value: 2 } }, { text: 'v' }],
    });
  });

  test('without brackets a call has no binders', () => {
    expect(expression('f(x)')).not.toHaveProperty('binders');
  });
});

describe('else', () => {
  test.each([
    ['x[i - 1] else 0', '(read x (- i 1) else 0)'],
    ['x[i - 1] else -1.5', '(read x (- i 1) else -1.5)'],
    ['x[i - 1] else inf', '(read x (- i 1) else Infinity)'],
    ['x[i - 1] else -inf', '(read x (- i 1) else -Infinity)'],
    ['x[n, ..i]', '(read x n (.. i))'],
    ['extent(..)', '(extent ..)'],
    ['x[i - 1] else edge', '(read x (- i 1) else edge)'],
    ['x[i - 1] else reflect + edge', '(+ (read x (- i 1) else reflect) edge)'],
    ['x[i] else 0 * 2', '(* (read x i else 0) 2)'],
    ['x[i] else 0 + y[i] else 1', '(+ (read x i else 0) (read y i else 1))'],
    ['x[i] else -1 ^ 2', '(^ (read x i else -1) 2)'],
    ['x[i][j] else 0', '(read (read x i) j else 0)'],
  ])('%s', (text, tree) => expect(reads(text)).toBe(tree));
});

describe('literals', () => {
  test.each([
    ['1', 1],
    ['0.5', 0.5],
    ['1e-8', 1e-8],
    ['2.5E+3', 2500],
    ['007', 7],
  ])('the number %s', (text, value) =>
    expect(bare(expression(text))).toEqual({ kind: 'number', value, text }),
  );

  test('lists', () => {
    expect(reads('[[1, 2], [-3, x]]')).toBe('(list (list 1 2) (list (- 3) x))');
    expect(reads('[]')).toBe('(list)');
  });

  test('strings have no escapes', () =>
    expect(reads(String.raw`"a\b*"`)).toBe(JSON.stringify(String.raw`a\b*`)));
});
