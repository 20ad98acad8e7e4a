/** Faults planted in the tables of rewrite rules, one at a time, on a model that is made of the rule's own left side. */
import { describe, expect, it } from 'vitest';
import type { Pattern, Rule } from '../../compiler/rewrite/patterns.ts';
import { simplerForms } from '../../compiler/rewrite/simplify.ts';
import { stableForms } from '../../compiler/rewrite/stabilise.ts';
import type { Mutant } from './mutants.ts';
import { tryFaults, type Fault } from './planting.ts';
import { unit } from './support.ts';

/** What stands for the holes of a rule: every letter has its own parameter, and all values are between 0 and 1. */
const holes: Readonly<Record<string, string>> = {
  u: 'a[n]',
  v: 'b[n]',
  w: 'd[n]',
  c: '1.5',
  k: '3',
  p: 'exp(a[n])',
  q: '(a[n]^2 + b[n]^2)',
  s: '(x[n, 0] > 0.5)',
  t: '(x[n, 1] > 0.5)',
};

/** A place where the operand is the body of a reduction. */
const inReduction: Readonly<Record<string, string>> = { ...holes, u: 'A[n, i]', v: 'A[n, i]' };

const infix: Readonly<Record<string, string>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  power: '^',
  equal: '==',
  greater: '>',
  and: 'and',
  or: 'or',
};

/** A pattern as a formula of the language. */
function formula(pattern: Pattern, names: Readonly<Record<string, string>> = holes): string {
  const of = (part: Pattern): string => formula(part, names);
  switch (pattern.kind) {
    case 'hole':
      return names[pattern.name] ?? 'a[n]';
    case 'number':
      return pattern.value === Infinity ? 'inf' : String(pattern.value);
    case 'unary':
      if (pattern.operator === 'negate') return `(-${of(pattern.operand)})`;
      return pattern.operator === 'not'
        ? `(not ${of(pattern.operand)})`
        : `${pattern.operator}(${of(pattern.operand)})`;
    case 'binary': {
      const sign = infix[pattern.operator];
      const operands = [of(pattern.left), of(pattern.right)];
      return sign === undefined
        ? `${pattern.operator}(${operands.join(', ')})`
        : `(${operands.join(` ${sign} `)})`;
    }
    case 'select':
      return `(${of(pattern.condition)} ? ${of(pattern.then)} : ${of(pattern.otherwise)})`;
    case 'reduction':
      return `${pattern.combine}[i](${formula(pattern.body, inReduction)})`;
  }
}

const model = ({ from }: Rule): string => `model Small {
  input x[n, 3]
  param wa ~ ones
  param wb ~ ones
  param wd ~ ones
  param W[3] ~ ones
  a[n] = wa * x[n, 0]
  b[n] = wb * x[n, 1]
  d[n] = wd * x[n, 2]
  A[n, i] = W[i] * x[n, i]
  y[n] = ${formula(from)}
  loss = mean[n](y[n] * (2 + d[n])) + mean[n](a[n] * b[n] * d[n] * sum[i](A[n, i]^2)) / 8
}
`;
const data = { name: 'unit', arrays: { x: unit(15, 'rows') } };

function patternFaults(to: Pattern): Mutant<Pattern>[] {
  const two: Pattern = { kind: 'number', value: 2 };
  return [
    { fault: 'doubled', made: { kind: 'binary', operator: 'multiply', left: two, right: to } },
    ...inside(to),
  ];
}

function inside(node: Pattern): Mutant<Pattern>[] {
  const own: Mutant<Pattern>[] = [
    { fault: `sign of ${node.kind}`, made: { kind: 'unary', operator: 'negate', operand: node } },
  ];
  const deep = (part: Pattern, where: string, put: (made: Pattern) => Pattern): Mutant<Pattern>[] =>
    inside(part).map(({ fault, made }) => ({ fault: `${where}: ${fault}`, made: put(made) }));
  switch (node.kind) {
    case 'hole':
      return own;
    case 'number':
      return [...own, { fault: `${node.value} plus 1`, made: { kind: 'number', value: node.value + 1 } }];
    case 'unary':
      return [
        ...own,
        { fault: `${node.operator} left out`, made: node.operand },
        ...deep(node.operand, node.operator, (operand) => ({ ...node, operand })),
      ];
    case 'binary':
      return [
        ...own,
        { fault: `${node.operator}: left alone`, made: node.left },
        { fault: `${node.operator}: right alone`, made: node.right },
        { fault: `${node.operator} swapped`, made: { ...node, left: node.right, right: node.left } },
        ...deep(node.left, 'left', (left) => ({ ...node, left })),
        ...deep(node.right, 'right', (right) => ({ ...node, right })),
      ];
    case 'select':
      return [
        ...own,
        { fault: 'branches swapped', made: { ...node, then: node.otherwise, otherwise: node.then } },
        ...deep(node.then, 'then', (then) => ({ ...node, then })),
        ...deep(node.otherwise, 'otherwise', (otherwise) => ({ ...node, otherwise })),
      ];
    case 'reduction':
      return [...own, ...deep(node.body, node.combine, (body) => ({ ...node, body }))];
  }
}

function faultsIn(table: readonly Rule[], at: number): Fault[] {
  const rule = table[at];
  if (rule === undefined) return [];
  return patternFaults(rule.to).map(({ fault, made }) => ({
    name: fault,
    table,
    key: at,
    entry: { ...rule, to: made },
  }));
}

const tables = { stableForms, simplerForms };

describe.each(Object.entries(tables))('%s', (_, table) => {
  it.each(table.map(({ law }, at) => ({ law, at })))('$law', async ({ at }) => {
    const rule = table[at];
    if (rule === undefined) throw new Error('no rule');
    const { found, survived } = await tryFaults(model(rule), faultsIn(table, at), { data });
    expect(survived).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });
});
