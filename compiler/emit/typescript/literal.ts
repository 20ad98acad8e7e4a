/** @file Plain data as the text of a literal. */
import { printNumber } from './integers.ts';

/**
 * Strings, numbers, booleans, arrays and plain objects; keys in their order, `undefined` fields left out. Numbers read
 * back to the same bits.
 * @throws Error for anything else
 */
export function printLiteral(data: unknown): string {
  if (typeof data === 'string') return JSON.stringify(data);
  if (typeof data === 'number') return printNumber(data);
  if (typeof data === 'boolean') return String(data);
  if (Array.isArray(data)) return `[${data.map(printLiteral).join(', ')}]`;
  if (typeof data !== 'object' || data === null) throw new Error(`no literal for ${String(data)}`);
  const fields = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${printKey(key)}: ${printLiteral(value)}`);
  return `{ ${fields.join(', ')} }`;
}

export function printKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : JSON.stringify(key);
}
