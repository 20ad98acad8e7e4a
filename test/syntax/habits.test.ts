/** What people write who know other languages. */
import { describe, expect, it } from 'vitest';
import { errorsOf, statementError } from './helpers.ts';

describe('words with letters that names do not have', () => {
  it('are one mistake a word, and the rest is read as if they were names', () => {
    expect(errorsOf('model Größe {\n input α[n]\n output y = α * α\n}')).toEqual([
      'E101 1:7 unexpected letters in `Größe`',
      'E101 2:8 unexpected letters in `α`',
    ]);
  });

  it('have a hint', () => {
    expect(statementError('ö = 3').hint).toBe('names are made of `A` to `Z`, `a` to `z`, digits and `_`');
  });
});

describe('methods', () => {
  it('are functions', () => {
    expect(statementError('y = x.pow(2)').hint).toBe('functions are called as `f(x)` or `x |> f`');
  });
});

describe('an input and another statement on one line', () => {
  it('says nothing of a range that is not there', () => {
    expect(statementError('input x[n, 3] output y = x').error).toMatch(
      /expected end of line after an input, found/,
    );
  });
});
