/** @file Plain data as the text of a literal. */
import { printNumber } from './integers.ts';

/**
 * Strings, numbers, booleans, arrays and plain objects; keys in their order, `undefined` fields left out. Numbers read
 * back to the same bits.
 * @throws Error for anything else
 */
export function printLiteral(data: unknown): string {
  if (typeof data === 'string') return printString(data);
  if (typeof data === 'number') return printNumber(data);
  if (typeof data === 'boolean') return String(data);
  if (Array.isArray(data)) return `[${data.map(printLiteral).join(', ')}]`;
  if (typeof data !== 'object' || data === null) throw new Error(`no literal for ${String(data)}`);
  const fields = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${printKey(key)}: ${printLiteral(value)}`);
  return `{ ${fields.join(', ')} }`;
}

/** A record as a table to be read: a line a field, and a line an entry where a field is a list of records. */
export function printTable(data: object): string {
  const fields = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `  ${printKey(key)}: ${isTable(value) ? printRows(value) : printLiteral(value)},`);
  return ['{', ...fields, '}'].join('\n');
}

function isTable(data: unknown): data is readonly object[] {
  return Array.isArray(data) && data.length > 0 && data.every((entry) => typeof entry === 'object');
}

function printRows(rows: readonly object[]): string {
  return ['[', ...rows.map((row) => `    ${printLiteral(row)},`), '  ]'].join('\n');
}

/** In the quotes of the rest of the file. */
function printString(text: string): string {
  return /^[ -~]*$/.test(text) && !/['\\]/.test(text) ? `'${text}'` : JSON.stringify(text);
}

export function printKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : JSON.stringify(key);
}
