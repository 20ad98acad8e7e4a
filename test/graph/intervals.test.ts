/** Between which bounds values are; and which outputs of one number a row are known to be probabilities. */
import { describe, expect, it } from 'vitest';
import { binaryIntervals, probabilities, unaryIntervals } from '../../compiler/graph/intervals.ts';
import { evaluateBinary, evaluateUnary } from '../../compiler/graph/operators.ts';
import type { BinaryOperator, UnaryOperator } from '../../compiler/graph/types.ts';
import { modelOf } from '../model/helpers.ts';

const likely = (statements: string): boolean =>
  probabilities(
    modelOf(`model M {\n  input x[n, 3]\n  input k[n]: 2\n  param w[3] ~ ones\n  ${statements}\n}`).program,
  ).has('p');

describe('whether it is between 0 and 1 is seen of', () => {
  it.each([
    ['a sigmoid', 'output p[n] = sigmoid(x[n, 0])'],
    ['one of a layer', 'output p = x |> dense(1) |> sigmoid'],
    ['what another statement has computed', 'q[n] = sigmoid(x[n, 0])\n  output p[n] = 1 - q[n]'],
    ['half of tanh, and a half', 'output p[n] = (tanh(x[n, 0]) + 1) / 2'],
    ['exp of what is not positive', 'output p[n] = exp(-x[n, 0]^2 - relu(x[n, 1]))', false],
    ['exp of a negative square root', 'output p[n] = exp(-sqrt(x[n, 0]))'],
    ['what is clipped by min and max', 'output p[n] = min(max(x[n, 0], 0), 1)'],
    ['hard_sigmoid', 'output p[n] = hard_sigmoid(x[n, 0])'],
    ['a mean of sigmoids', 'output p[n] = mean[i](sigmoid(x[n, i]))'],
    ['a product of sigmoids', 'output p[n] = prod[i](sigmoid(x[n, i]))'],
    ['the greatest sigmoid', 'output p[n] = max[i](sigmoid(x[n, i]))'],
    ['one of two sigmoids', 'output p[n] = x[n, 0] > 0 ? sigmoid(x[n, 1]) : 0.5'],
    ['a comparison', 'output p[n] = x[n, 0] > w[0]'],
    ['an input of two classes', 'output p[n] = k[n] * 1'],
    ['a logit', 'output p[n] = x[n, 0] * w[0]', false],
    ['a sum of sigmoids', 'output p[n] = sum[i](sigmoid(x[n, i]))', false],
    ['twice a sigmoid', 'output p[n] = 2 * sigmoid(x[n, 0])', false],
    ['tanh', 'output p[n] = tanh(x[n, 0])', false],
    ['a quotient by what may be 0', 'output p[n] = sigmoid(x[n, 0]) / sigmoid(x[n, 1])', false],
    ['one of a sigmoid and a logit', 'output p[n] = x[n, 0] > 0 ? sigmoid(x[n, 1]) : x[n, 1]', false],
  ] as [string, string, boolean?][])('%s: %s', (_, statements, wanted = true) => {
    expect(likely(statements)).toBe(wanted);
  });
});

describe('no value is outside of the interval of', () => {
  const ends = [-Infinity, -2, -1, -0.4, 0, 0.3, 1, 1.5, 3, Infinity];
  const intervals = ends.flatMap((least, k) => ends.slice(k).map((greatest) => ({ least, greatest })));
  const valuesIn = ({ least, greatest }: { least: number; greatest: number }): number[] =>
    [...ends, -700, -1.7, -1e-9, 0.1, 0.77, 1.2, 40].filter((value) => value >= least && value <= greatest);
  const outside = (value: number, { least, greatest }: { least: number; greatest: number }): boolean =>
    value < least - 1e-12 || value > greatest + 1e-12;

  it.each(Object.keys(evaluateUnary) as UnaryOperator[])('%s', (operator) => {
    for (const operand of intervals)
      for (const x of valuesIn(operand))
        if (outside(evaluateUnary[operator](x), unaryIntervals[operator](operand)))
          expect.fail(`${operator}(${x}), of ${operand.least} to ${operand.greatest}`);
  });

  it.each(Object.keys(evaluateBinary) as BinaryOperator[])('%s', (operator) => {
    for (const left of intervals)
      for (const right of intervals)
        for (const x of valuesIn(left))
          for (const y of valuesIn(right))
            if (outside(evaluateBinary[operator](x, y), binaryIntervals[operator](left, right)))
              expect.fail(`${operator}(${x}, ${y}), of ${JSON.stringify([left, right])}`);
  });
});
