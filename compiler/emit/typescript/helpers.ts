/** @file Small functions that emitted loops may call; the file has those that it uses. */
import type { Elementary, Helper } from './integers.ts';
import { erf, exp, softplus, tanh } from './polynomials.ts';

/** A function of the emitted file, and what it calls in its turn. */
export interface HelperText {
  readonly text: string;
  readonly calls?: readonly Helper[];
}

/** What is called under another name, or comes from elsewhere, where it is not to be a polynomial. */
export const builtIn: Readonly<Record<Elementary, string>> = {
  exp: 'Math.exp',
  tanh: 'Math.tanh',
  erf: 'erf',
};

const sigmoid = (exponential: string): string => `
// 1 / (1 + exp(-x)): exp overflows to Infinity only where the result is 0
function sigmoid(x: number): number {
  return 1 / (1 + ${exponential}(-x));
}`;

/** In the order of the file. */
export const exactHelpers: Readonly<Record<Exclude<Helper, Elementary>, HelperText>> = {
  sigmoid: { text: sigmoid('Math.exp') },
  softplus: {
    text: `
// log(1 + exp(x)) without overflow
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}`,
  },
  roundHalfEven: {
    text: `
// the nearest integer, ties to the even one
function roundHalfEven(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}`,
  },
  modulo: {
    text: `
// x - y * floor(x / y): the remainder with the sign of y
function modulo(x: number, y: number): number {
  const remainder = x % y;
  return remainder !== 0 && remainder < 0 !== y < 0 ? remainder + y : remainder;
}`,
  },
  square: {
    text: `
function square(x: number): number {
  return x * x;
}`,
  },
  cube: {
    text: `
function cube(x: number): number {
  return x * x * x;
}`,
  },
};

/** The same where polynomials may stand for the built-in functions. */
export const fastHelpers: Readonly<Record<Helper, HelperText>> = {
  ...exactHelpers,
  sigmoid: { text: sigmoid('exp'), calls: ['exp'] },
  softplus: { text: softplus, calls: ['exp'] },
  exp: { text: exp },
  tanh: { text: tanh },
  erf: { text: erf },
};
