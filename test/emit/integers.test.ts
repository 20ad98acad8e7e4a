import { describe, expect, it } from 'vitest';
import { integerPiece, printInteger, type Naming } from '../../compiler/emit/typescript/integers.ts';
import { printCondition } from '../../compiler/emit/typescript/values.ts';
import { integer, product, sum, variable } from '../../compiler/schedule/integers.ts';
import type { IntegerExpression } from '../../compiler/schedule/types.ts';

const naming: Naming = {
  variable: (name) => name,
  buffer: (name) => name,
  helper: (name) => name,
  nonNegative: () => true,
};
const [i, j] = [variable('i'), variable('j')];
const minus = (of: IntegerExpression): IntegerExpression => product(of, integer(-1));
const print = (value: IntegerExpression): string => printInteger(value, naming);

describe('integers are written as a person writes them', () => {
  it('what is added stands before what is taken away', () => {
    expect(print(sum(minus(j), integer(2)))).toBe('2 - j');
    expect(print(sum(product(j, integer(-16)), i, integer(-3)))).toBe('i - 16 * j - 3');
    expect(print(sum(minus(i), minus(j)))).toBe('-i - j');
    expect(integerPiece(minus(i), naming).text).toBe('-i');
  });

  const operators = ['<', '<=', '>', '>=', '==', '!='] as const;
  const sides: [IntegerExpression, IntegerExpression][] = [
    [sum(minus(i), integer(10)), integer(0)],
    [i, integer(-1)],
    [sum(i, integer(-1)), integer(0)],
    [sum(minus(i), j, integer(-1)), integer(0)],
    [sum(minus(i), minus(j), integer(1)), integer(0)],
    [sum(i, integer(2)), sum(product(j, integer(3)), integer(5))],
    [integer(1), j],
    [sum(i, integer(3)), j],
    [integer(3), integer(4)],
  ];
  const written = sides.map(([left, right]) =>
    printCondition({ kind: 'compare_integer', operator: '>=', left, right }, naming),
  );

  it('comparisons are solved', () => {
    expect(written).toEqual([
      'i <= 10',
      'i >= -1',
      'i > 0',
      'j > i',
      'i + j <= 1',
      'i >= j * 3 + 3',
      'j <= 1',
      'i + 3 >= j',
      '3 >= 4',
    ]);
    expect(
      printCondition({ kind: 'compare_integer', operator: '>', left: i, right: integer(-1) }, naming),
    ).toBe('i >= 0');
  });

  it('and hold where they held', () => {
    const truth = (condition: string, a: number, b: number): unknown =>
      new Function('i', 'j', `return ${condition}`)(a, b);
    for (const operator of operators) {
      for (const [left, right] of sides) {
        const short = printCondition({ kind: 'compare_integer', operator, left, right }, naming);
        const javascript = operator === '==' ? '===' : operator === '!=' ? '!==' : operator;
        const long = `(${print(left)}) ${javascript} (${print(right)})`;
        for (let a = -4; a < 14; a++)
          for (let b = -4; b < 6; b++)
            expect(truth(short, a, b), `${long} as ${short}`).toBe(truth(long, a, b));
      }
    }
  });
});
