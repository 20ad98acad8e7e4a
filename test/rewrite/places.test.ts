import { describe, expect, it } from 'vitest';
import { simplify } from '../../compiler/rewrite/simplify.ts';
import { lines, programOf } from '../model/helpers.ts';

const simplified = (statement: string): string | undefined =>
  lines(simplify(programOf(`input x[4, 6]\noutput y${statement}`))).at(-1);

describe('places of reads', () => {
  it('lose quotients and remainders that the extents decide', () => {
    expect(simplified('[i: 4, j: 3] = x[i, mod(j, 4) + j / 3]')).toBe('y[i, j: 3] = x[i, j]');
    expect(simplified('[i: 2, j: 6, u: 2] = x[(2*i + u) / 2, j]')).toBe('y[i: 2, j, u: 2] = x[i, j]');
  });

  it('keep those that they do not', () => {
    expect(simplified('[i: 4, j: 6] = x[i, j / 3 + mod(j, 3)]')).toBe('y[i, j: 6] = x[i, j / 3 + mod(j, 3)]');
  });

  it('have no value for an outside where they never are', () => {
    expect(simplified('[i: 4, j: 5] = x[i, j + 1] else 0')).toBe('y[i, j: 5] = x[i, j + 1]');
    expect(simplified('[i: 4, j: 6] = x[i, j + 1] else 0')).toBe('y[i, j: 6] = x[i, j + 1] else 0');
  });

  it('have one where a quotient need not be exact', () => {
    const statement = '[i: 4, j: 6] = x[i, exact(j / 2)] else 0';
    expect(simplified(statement)).toBe('y[i, j: 6] = x[i, exact(j / 2)] else 0');
  });
});
