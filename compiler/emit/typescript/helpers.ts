/** @file Small functions that emitted loops may call; the file has those that it uses. `erf` is the runtime's. */
import type { Helper } from './integers.ts';

export const helperTexts: Readonly<Record<Exclude<Helper, 'erf'>, string>> = {
  sigmoid: `
// 1 / (1 + exp(-x)): exp overflows to Infinity only where the result is 0
function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}`,
  softplus: `
// log(1 + exp(x)) without overflow
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}`,
  roundHalfEven: `
// the nearest integer, ties to the even one
function roundHalfEven(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}`,
  modulo: `
// x - y * floor(x / y): the remainder with the sign of y
function modulo(x: number, y: number): number {
  const remainder = x % y;
  return remainder !== 0 && remainder < 0 !== y < 0 ? remainder + y : remainder;
}`,
  square: `
function square(x: number): number {
  return x * x;
}`,
  cube: `
function cube(x: number): number {
  return x * x * x;
}`,
};
