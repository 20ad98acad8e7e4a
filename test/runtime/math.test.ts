import { describe, expect, it } from 'vitest';
import { erf, modulo, roundHalfEven, sigmoid, softplus } from '../../runtime/math.ts';

describe('erf', () => {
  // Values of glibc's erf, as Python's math.erf prints them.
  it.each([
    [0, 0],
    [1e-10, 1.1283791670955126e-10],
    [0.25, 0.2763263901682369],
    [0.46875, 0.49261347321793797],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3.9, 0.9999999652077514],
    [4, 0.9999999845827421],
    [5.5, 0.9999999999999927],
    [6, 1],
    [Infinity, 1],
  ])('of ±%d is ±%d', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(2.3e-16 * expected);
    expect(erf(-x) + 0).toBe(-erf(x) + 0);
  });

  it('agrees with its series 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)) between', () => {
    for (let x = 0.01; x < 3; x += 0.037) {
      let term = x;
      let sum = x;
      for (let n = 1; n < 200; n++) {
        term *= (2 * x * x) / (2 * n + 1);
        sum += term;
      }
      expect(erf(x)).toBeCloseTo((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum, 13);
    }
  });

  it('keeps NaN', () => expect(erf(NaN)).toBeNaN());
});

describe('sigmoid and softplus', () => {
  it('neither overflow nor lose small values', () => {
    expect([sigmoid(-1000), sigmoid(0), sigmoid(1000)]).toEqual([0, 0.5, 1]);
    expect(sigmoid(-40)).toBeCloseTo(Math.exp(-40), 30);
    expect([softplus(-1000), softplus(1000)]).toEqual([0, 1000]);
    expect(softplus(-40)).toBeCloseTo(Math.exp(-40), 30);
    expect(softplus(0)).toBe(Math.LN2);
    expect([sigmoid(NaN), softplus(NaN)]).toEqual([NaN, NaN]);
  });
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [2.4, 2],
    [-2.6, -3],
    [Infinity, Infinity],
  ])('of %d is %d', (x, expected) => expect(roundHalfEven(x) + 0).toBe(expected));
});

describe('modulo', () => {
  it.each([
    [5, 3, 2],
    [-5, 3, 1],
    [5, -3, -1],
    [-5, -3, -2],
    [6, 3, 0],
    [-0.25, 1, 0.75],
  ])('%d mod %d is %d', (x, y, expected) => expect(modulo(x, y) + 0).toBe(expected));
  it('by zero is not a number', () => expect(modulo(1, 0)).toBeNaN());
});
