/** Markup as text: whatever is put into a template is escaped, unless it is markup itself. */

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Markup | string | number | readonly Part[];

/** A template of markup. Strings and numbers in it are text, also within quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, k) => (k === 0 ? '' : textOf(parts[k - 1]!)) + text).join(''));
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A number in a column of a table: four places behind the point, where that says enough. */
export function columnText(value: number): string {
  const size = Math.abs(value);
  return size === 0 || (size >= 1e-3 && size < 1e6) ? value.toFixed(4) : numberText(value);
}

/** A number for a reader: four digits that count, or as many as there should be; `1e20` where it is huge or tiny. */
export function numberText(value: number, digits = 4): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const rounded =
    Number.isInteger(value) && Math.abs(value) < 1e6 ? value : Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  const isPlain = size >= 1e-3 && size < Math.max(1e6, 10 ** digits);
  return isPlain ? String(rounded) : rounded.toExponential().replace('e+', 'e');
}

/** `1 epoch`, `2 epochs` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
