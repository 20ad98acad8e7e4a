/** Faults planted in the tables of scalar derivatives, one at a time: `compile check` finds every one. */
import { describe, expect, it } from 'vitest';
import { binaryDerivatives, type BinaryRule } from '../../compiler/calculus/binary.ts';
import { unaryDerivatives, type UnaryRule } from '../../compiler/calculus/unary.ts';
import { one, zero } from '../../compiler/graph/expressions.ts';
import type { BinaryOperator, Expression, UnaryOperator } from '../../compiler/graph/types.ts';
import { faultsOf, type Mutant } from './mutants.ts';
import { tryFaults, withEntry, type Fault } from './planting.ts';
import { analysed, unit } from './support.ts';

/** u is between 0 and 1, and depends on w; the second operand is v, between 0.5 and 1.5, and depends on b. */
const model = (formula: string): string => `model Small {
  input x[n, 2]
  param w[2] ~ ones
  param b[2] ~ ones
  u[n, i] = w[i] * x[n, i]
  v[n, i] = 0.5 + b[i] * x[n, 1 - i]
  loss = mean[n](sum[i](${formula} + u[n, i] * v[n, i] / 8))
}
`;
const data = { name: 'unit', arrays: { x: unit(10, 'x') } };

/** The place of each operator in a formula; beside it stands a product of both, that everything depends on w and b. */
const unaryFormulas: Readonly<Record<UnaryOperator, string>> = {
  negate: 'exp(-u[n, i])',
  abs: 'abs(u[n, i] - 0.5)',
  sign: 'sign(u[n, i] - 0.5) * u[n, i]',
  floor: 'floor(3 * u[n, i])',
  ceil: 'ceil(3 * u[n, i])',
  round: 'round(3 * u[n, i])',
  exp: 'exp(u[n, i])',
  expm1: 'expm1(u[n, i])',
  log: 'log(u[n, i])',
  log1p: 'log1p(u[n, i])',
  log2: 'log2(u[n, i])',
  sqrt: 'sqrt(u[n, i])',
  norm_sqrt: 'norm_sqrt(u[n, i]^2 + v[n, i]^2)',
  sin: 'sin(u[n, i])',
  cos: 'cos(u[n, i])',
  tan: 'tan(u[n, i])',
  asin: 'asin(0.6 * u[n, i])',
  acos: 'acos(0.6 * u[n, i])',
  atan: 'atan(u[n, i])',
  sinh: 'sinh(u[n, i])',
  cosh: 'cosh(u[n, i])',
  tanh: 'tanh(u[n, i])',
  asinh: 'asinh(u[n, i])',
  acosh: 'acosh(1.2 + u[n, i])',
  atanh: 'atanh(0.6 * u[n, i])',
  erf: 'erf(u[n, i])',
  sigmoid: 'sigmoid(u[n, i])',
  softplus: 'softplus(u[n, i])',
  relu: 'relu(u[n, i] - 0.5)',
  not: '(not u[n, i]) * u[n, i]',
  stop_gradient: 'stop_gradient(u[n, i]) * u[n, i]',
};

/** Both operands vary, or one is a number: some rules know that case. */
const binaryFormulas: Readonly<Record<BinaryOperator, readonly string[]>> = {
  add: ['sin(u[n, i] + v[n, i])'],
  subtract: ['sin(u[n, i] - v[n, i])'],
  multiply: ['u[n, i] * v[n, i]'],
  divide: ['u[n, i] / v[n, i]'],
  power: ['u[n, i] ^ v[n, i]', 'u[n, i] ^ 3', '1.7 ^ u[n, i]'],
  max: ['max(u[n, i], v[n, i]) * u[n, i]', 'max(u[n, i], 0.5) * v[n, i]', 'max(0.5, u[n, i]) * v[n, i]'],
  min: ['min(u[n, i], v[n, i]) * u[n, i]', 'min(u[n, i], 0.5) * v[n, i]', 'min(0.5, u[n, i]) * v[n, i]'],
  atan2: ['atan2(u[n, i], v[n, i])'],
  modulo: ['mod(3 * u[n, i], v[n, i])'],
  less: ['(u[n, i] < v[n, i]) * u[n, i]'],
  less_equal: ['(u[n, i] <= v[n, i]) * u[n, i]'],
  greater: ['(u[n, i] > v[n, i]) * u[n, i]'],
  greater_equal: ['(u[n, i] >= v[n, i]) * u[n, i]'],
  equal: ['(u[n, i] == v[n, i]) * u[n, i]'],
  not_equal: ['(u[n, i] != v[n, i]) * u[n, i]'],
  and: ['(u[n, i] and v[n, i]) * u[n, i]'],
  or: ['(u[n, i] or v[n, i]) * u[n, i]'],
};

type Arguments = readonly Expression[];

/**
 * The faults of a rule: those of what it says, one after the other. What it says depends on the operands, so each fault is
 * made when the rule is called; how many there are is found out with the first model.
 */
function faultsOfRule(
  rule: (...operands: Arguments) => Expression,
  seen: readonly Arguments[],
): Mutant<typeof rule>[] {
  const names = new Set(
    seen.flatMap((operands) =>
      faultsOf(rule(...operands), new Set(operands)).map(({ fault }, k) => `${k} ${fault}`),
    ),
  );
  return [...names].map((fault) => ({
    fault,
    made: (...operands) => {
      const said = rule(...operands);
      return (
        faultsOf(said, new Set(operands)).find((mutant, k) => `${k} ${mutant.fault}` === fault)?.made ?? said
      );
    },
  }));
}

/** The operands that a rule is given while the model is compiled. */
async function callsOf(
  table: object,
  key: string,
  entry: (record: (operands: Arguments) => void) => unknown,
  text: string,
): Promise<Arguments[]> {
  const seen: Arguments[] = [];
  const recording = entry((operands) => seen.push(operands));
  await withEntry(table, key, recording, () => Promise.resolve(analysed(text)));
  return seen;
}

const recordingUnary =
  (rule: Exclude<UnaryRule, 'zero'>) =>
  (record: (operands: Arguments) => void): UnaryRule =>
  (x, y) => {
    record([x, y]);
    return rule(x, y);
  };

async function unaryFaults(operator: UnaryOperator, text: string): Promise<Fault[]> {
  const rule = unaryDerivatives[operator];
  const table = unaryDerivatives;
  if (rule === 'zero') return [{ name: 'one for zero', table, key: operator, entry: () => one }];
  const calls = await callsOf(table, operator, recordingUnary(rule), text);
  const faults = faultsOfRule((x = one, y = one) => rule(x, y), calls);
  return [
    { name: 'zero', table, key: operator, entry: 'zero' },
    ...faults.map(({ fault, made }) => ({ name: fault, table, key: operator, entry: made })),
  ];
}

async function binaryFaults(operator: BinaryOperator, text: string): Promise<Fault[]> {
  const rule = binaryDerivatives[operator];
  const table = binaryDerivatives;
  const sides = ['left', 'right'] as const;
  if (rule === 'zero') {
    return sides.map((side) => ({
      name: `one for zero, ${side}`,
      table,
      key: operator,
      entry: { left: () => zero, right: () => zero, [side]: () => one },
    }));
  }
  const all: Fault[] = [{ name: 'zero', table, key: operator, entry: 'zero' }];
  for (const side of sides) {
    const recording = (record: (operands: Arguments) => void): BinaryRule => ({
      ...rule,
      [side]: (a: Expression, b: Expression, y: Expression) => {
        record([a, b, y]);
        return rule[side](a, b, y);
      },
    });
    const calls = await callsOf(table, operator, recording, text);
    const faults = faultsOfRule((a = one, b = one, y = one) => rule[side](a, b, y), calls);
    all.push(
      ...faults.map(({ fault, made }) => ({
        name: `${side}: ${fault}`,
        table,
        key: operator,
        entry: { ...rule, [side]: made },
      })),
    );
  }
  return all;
}

describe('derivatives of the operators of one operand', () => {
  it.each(keysOf(unaryFormulas))('%s', async (operator) => {
    const text = model(unaryFormulas[operator]);
    const { found, survived, refused } = await tryFaults(text, await unaryFaults(operator, text), { data });
    expect(survived).toEqual([]);
    expect(refused).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('derivatives of the operators of two operands', () => {
  it.each(keysOf(binaryFormulas))('%s', async (operator) => {
    const found = new Set<string>();
    for (const formula of binaryFormulas[operator]) {
      const text = model(formula);
      const trials = await tryFaults(text, await binaryFaults(operator, text), { data });
      expect(trials.survived).toEqual([]);
      expect(trials.refused).toEqual([]);
      for (const name of trials.found) found.add(name);
    }
    const sides = [...found].map((name) => name.replace(/^one for zero, /, '').slice(0, 4));
    expect(sides).toContain('left');
    expect(sides).toContain('righ');
  });
});

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  const keys: K[] = [];
  for (const key in table) keys.push(key);
  return keys;
}
