/** docs/CHECKING.md shows what `compile check` prints, and allows what it allows. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { printReport, proofs } from '../../compiler/check/index.ts';
import { check } from '../check/support.ts';
import { blocksOf, pageOf } from './snippets.ts';

const page = pageOf('CHECKING.md');

it('the report of xor', async () => {
  const text = readFileSync(new URL('../../examples/xor/xor.dsl', import.meta.url), 'utf8');
  const { report, diagnostics } = await check(text);
  expect(diagnostics).toEqual([]);
  if (report === undefined) throw new Error('no report');
  // the digits of a difference are those of the machine's functions
  const withoutDigits = (table: string): string => table.replaceAll(/ *\d\.\de-\d+| {2,}0(?= )/g, ' #');
  expect(withoutDigits(blocksOf(page, 'text')[0] ?? '').trim()).toBe(
    withoutDigits(printReport(report)).trim(),
  );
});

it.each(Object.entries(proofs))('%s: what is allowed', (name, { tolerance }) => {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
  expect(Number(row.split('|').at(-2))).toBeCloseTo(tolerance, 5);
  expect(Number(row.split('|').at(-2))).toBe(Number(tolerance.toPrecision(2)));
});
