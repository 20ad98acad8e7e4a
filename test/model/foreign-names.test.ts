/** What is hinted at instead of the functions of other libraries is right as it stands. */
import { describe, expect, it } from 'vitest';
import { builtInNames } from '../../compiler/model/calls.ts';
import { foreignFunctions } from '../../compiler/model/foreign-names.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { describeDiagnostic, diagnose } from './helpers.ts';

const hints = Object.entries(foreignFunctions);

/** Whole statements among what stands in backticks. */
const statements = new Set(
  hints
    .flatMap(([, hint]) => [...hint.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code))
    .filter((code) => /^y\[.*\] = |^scan /.test(code)),
);

const shapeOfX = (statement: string): string =>
  statement.includes('x[i, j]') || statement.includes('x[i, j] :')
    ? '4, 4'
    : statement.includes('= x[n]')
      ? 'n'
      : statement.includes('28')
        ? 'n, 28, 28'
        : 'n, 12';

describe('names of other libraries', () => {
  it.each([...statements])('%s', (statement) => {
    const inputs = {
      'x[': `input x[${shapeOfX(statement)}]`,
      'a[n': 'input a[n, 6]',
      'b[n': 'input b[n, 6]',
      'at[': 'input at[n, 3]: 12',
      label: 'input label[n]: 10',
    };
    const needed = Object.entries(inputs).flatMap(([part, input]) =>
      statement.includes(part) ? [input] : [],
    );
    const result = statement.startsWith('scan') ? statement.charAt('scan t { '.length) : 'y';
    const list = diagnose([...needed, statement, `output ${result}`].join('\n'));
    expect(list.map(describeDiagnostic)).toEqual([]);
  });

  it.each(hints)('%s is not the name of anything here', (name) => {
    expect(builtInNames).not.toContain(name);
    for (const { text } of preludeSources())
      expect(text).not.toMatch(new RegExp(`^(fn|layer) ${name}\\b`, 'm'));
  });
});
