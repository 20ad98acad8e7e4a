/** A report as text: a table with a row for each parameter, and a line that sums it up. */
import { proofs } from './examine.ts';
import type { CheckReport, ParameterReport, Proof, ProofName } from './types.ts';

const columns: readonly ProofName[] = ['differences', 'forward', 'scatter', 'float32'];

/** The table, the remarks and the summary, with a line end behind each line. */
export function printReport(report: CheckReport): string {
  const { model, data, rows, seed, directions, parameters, remarks } = report;
  const body = parameters.map((parameter) => [
    parameter.name,
    `[${parameter.shape.join(', ')}]`,
    parameter.norm.toPrecision(3),
    ...columns.map((name) => cell(parameter.proofs[name])),
    parameter.ok ? 'ok' : 'FAIL',
  ]);
  const head = ['parameter', 'shape', '|gradient|', ...columns, ''];
  const allowed = ['allowed', '', '', ...columns.map((name) => exponent(proofs[name].tolerance)), ''];
  const table = aligned([head, ...body, allowed]);
  return [
    `${model}: ${data}, ${counted(rows, 'row')}, ${counted(directions, 'direction')} a parameter, seed ${seed}, loss ${report.loss.toPrecision(6)}`,
    '',
    ...table,
    '',
    ...remarks.map((remark) => `${remark}`),
    summary(report),
    '',
  ].join('\n');
}

function summary({ model, parameters, ok }: CheckReport): string {
  const numbers = parameters.reduce((sum, { shape }) => sum + shape.reduce((all, size) => all * size, 1), 0);
  const failed = parameters.filter((parameter) => !parameter.ok);
  const all = `${counted(parameters.length, 'parameter')}, ${counted(numbers, 'number')}`;
  if (ok) return `${model}: the gradient is right (${all})`;
  const worst = failed.flatMap(worstLine);
  return [`${model}: the gradient is not proved (${failed.length} of ${all})`, ...worst].join('\n');
}

function worstLine({ worst, from, declared }: ParameterReport): string[] {
  if (worst === undefined) return [];
  return [
    `  ${worst.name}: gradient ${worst.gradient}, should be ${worst.expected}; from ${from}, declared ${declared}`,
  ];
}

function cell(proof: Proof): string {
  if (proof.kind === 'undecided') return 'undecided';
  if (proof.kind === 'left out') return '-';
  if (proof.vanishes === true) return 'both 0';
  const mark = proof.cancels === true ? ' ~' : proof.ok ? '' : ' !';
  return `${exponent(proof.difference)}${mark}`;
}

const exponent = (value: number): string => (value === 0 ? '0' : value.toExponential(1));

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Columns as wide as what stands in them: words to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => row[k]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, k) =>
        k < 2 || k === row.length - 1 ? text.padEnd(widths[k] ?? 0) : text.padStart(widths[k] ?? 0),
      )
      .join('  ')
      .replace(/^/, '  ')
      .trimEnd(),
  );
}
