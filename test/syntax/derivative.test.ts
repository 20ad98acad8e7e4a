/** `derivative` is a word only where a name follows it on its line. */
import { describe, expect, it } from 'vitest';
import { expression, modelItems, parseClean, show, theError } from './helpers.ts';

describe('derivative', () => {
  it('has a name, parameters, and an expression for each of them', () => {
    const [item] = parseClean('derivative f(x, a) = a * x,\n  x^2\n');
    if (item?.kind !== 'derivative') throw new Error('no derivative');
    expect(item.name.text).toBe('f');
    expect(item.parameters.map(({ name }) => name.text)).toEqual(['x', 'a']);
    expect(item.values.map(show)).toEqual(['(* a x)', '(^ x 2)']);
    expect(item.span.source.text.slice(item.span.start, item.span.end)).toBe(
      'derivative f(x, a) = a * x,\n  x^2',
    );
  });

  it('is no reserved word', () => {
    expect(show(expression('derivative(x) + derivative'))).toBe('(+ (derivative x) derivative)');
    expect(modelItems('derivative[i] = x[i]\nderivative = 1').map(({ kind }) => kind)).toEqual([
      'assignment',
      'assignment',
    ]);
  });

  it('needs `=` and an expression', () => {
    expect(theError('derivative f(x) 2 * x').error).toBe(
      'E102 1:17 expected `=` and the derivative, found the number 2',
    );
    expect(theError('derivative f(x) = x,').error).toBe(
      'E102 1:21 expected an expression, found end of line',
    );
  });
});
