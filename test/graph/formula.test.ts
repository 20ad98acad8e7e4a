import { describe, expect, it } from 'vitest';
import { formulaOf } from '../../compiler/graph/formula.ts';
import { multiply } from '../../compiler/graph/expressions.ts';
import { printStatement } from '../../compiler/graph/print.ts';
import type { Program, Statement } from '../../compiler/graph/types.ts';
import { analyse } from '../../compiler/index.ts';

function lastOf(lines: string): { statement: Statement; program: Program } {
  const text = `model Long {\n  input x[n, 4]\n  input weights_of_rows[n, 4]\n  output y[n, i] = ${lines}\n}`;
  const { models, diagnostics } = analyse({ path: 'long.dsl', text });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  // as it was written, before any pass
  const program = models[0]!.stages[0]!.program;
  return { statement: program.statements.find(({ target }) => target === 'y')!, program };
}

const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('a formula', () => {
  it('that fits stands on one line', () => {
    const { statement, program } = lastOf('x[n, i] + 1');
    expect(formulaOf(statement, program)).toEqual({ lines: ['y[n, i] = x[n, i] + 1'], names: [] });
  });

  it('that is longer is broken before operators, outside of brackets first, and nothing is lost', () => {
    const { statement, program } = lastOf(
      Array.from({ length: 6 }, (_, k) => `(x[n, i] + ${k}) * weights_of_rows[n, i]`).join(' + '),
    );
    const { lines, names } = formulaOf(statement, program);
    expect(names).toEqual([]);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.slice(1).every((line) => line.startsWith('    + ('))).toBe(true);
    expect(squeezed(lines.join(' '))).toBe(squeezed(printStatement(statement, program)));
  });

  it('of many lines has names for what it repeats', () => {
    const part = 'sigmoid(x[n, i] * weights_of_rows[n, i])';
    const { statement, program } = lastOf(
      Array.from({ length: 24 }, (_, k) => `(${part} + ${k + 2}) * (x[n, i] - ${k + 2})`).join(' + '),
    );
    const { lines, names } = formulaOf(statement, program);
    expect(names).toEqual([`with s = ${part}`]);
    const short = squeezed(lines.join(' '));
    expect(short.replaceAll(/\bs\b/g, part)).toBe(squeezed(printStatement(statement, program)));
  });

  it('is as short as what differs in it, however long it were if written out', () => {
    const { statement, program } = lastOf('sin(x[n, i] * weights_of_rows[n, i]) + 1');
    let { body } = statement;
    for (let k = 0; k < 60; k++) body = multiply(body, body);
    const { lines, names } = formulaOf({ ...statement, body }, program);
    expect(lines.join('').length + names.join('').length).toBeLessThan(5000);
    expect(names.length).toBeGreaterThan(50);
  });
});
