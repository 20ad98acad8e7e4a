/** Text to tokens. One pass, no backtracking; what is no word of the language is reported with the word that is meant. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Source } from '../diagnostics/source.ts';
import type { Token, TokenKind } from './tokens.ts';
import { isKeyword } from './tokens.ts';

/** The symbols of the language, longest first. */
const symbols = [
  '..',
  '|>',
  '->',
  '<=',
  '>=',
  '==',
  '!=',
  '+=',
  '*=',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '=',
  '~',
  '?',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '^',
] as const;

interface Correction {
  readonly wrong: string;
  /** The token that is meant. Without it nothing can be guessed and the statement is given up. */
  readonly right?: string;
  readonly hint: string;
}

/** What people write from the habit of other languages; tried before the symbols, longest first. */
const corrections: readonly Correction[] = [
  { wrong: '===', right: '==', hint: 'equality is written `==`' },
  { wrong: '!==', right: '!=', hint: 'inequality is written `!=`' },
  { wrong: '...', right: '..', hint: 'write `..`' },
  { wrong: '**', right: '^', hint: 'a power is written `^`' },
  { wrong: '&&', right: 'and', hint: 'write `and`' },
  { wrong: '||', right: 'or', hint: 'write `or`' },
  { wrong: ':=', right: '=', hint: 'an assignment is written `=`' },
  { wrong: '=>', right: '->', hint: 'write `->`' },
  { wrong: '~=', right: '!=', hint: 'inequality is written `!=`' },
  { wrong: '-=', hint: 'a name is assigned once: give the difference a new name' },
  { wrong: '/=', hint: 'a name is assigned once: give the quotient a new name' },
  { wrong: '&', right: 'and', hint: 'write `and`' },
  { wrong: '!', right: 'not', hint: 'write `not`' },
  { wrong: '|', hint: 'a pipe is written `|>`, a disjunction `or`' },
  { wrong: ';', right: ';', hint: 'a statement ends at the end of its line; no `;` is needed' },
  { wrong: '%', right: '%', hint: 'a remainder is written `mod(a, b)`' },
  { wrong: '@', hint: 'a matrix product is written `sum[k](a[i, k] * b[k, j])`' },
  { wrong: '\u2212', right: '-', hint: 'this is the character U+2212; write the minus of the keyboard, `-`' },
  { wrong: '\u2013', right: '-', hint: 'this is a dash, U+2013; write the minus of the keyboard, `-`' },
  { wrong: '\u2014', right: '-', hint: 'this is a dash, U+2014; write the minus of the keyboard, `-`' },
  { wrong: '×', right: '*', hint: 'write `*`' },
  { wrong: '·', right: '*', hint: 'write `*`' },
  { wrong: '⋅', right: '*', hint: 'write `*`' },
  { wrong: '÷', right: '/', hint: 'write `/`' },
  { wrong: '≤', right: '<=', hint: 'write `<=`' },
  { wrong: '≥', right: '>=', hint: 'write `>=`' },
  { wrong: '≠', right: '!=', hint: 'write `!=`' },
  { wrong: '→', right: '->', hint: 'write `->`' },
  { wrong: '∼', right: '~', hint: 'write the tilde of the keyboard, `~`' },
];

const correctionsByFirst = new Map<string, Correction[]>();
for (const correction of corrections) {
  const first = correction.wrong.charAt(0);
  correctionsByFirst.set(first, [...(correctionsByFirst.get(first) ?? []), correction]);
}
const symbolsByFirst = new Map<string, string[]>();
for (const symbol of symbols) {
  const first = symbol.charAt(0);
  symbolsByFirst.set(first, [...(symbolsByFirst.get(first) ?? []), symbol]);
}

const blank = /[ \t\r\f\v\u00a0\u2000-\u200b\u2028\u2029\u202f\u3000\ufeff]/;
const letter = /[A-Za-z_]/;
const digit = /[0-9]/;
const patterns = {
  name: /[A-Za-z_][A-Za-z0-9_]*'?/y,
  /** A word as people write it, in any alphabet. */
  word: /[\p{L}_][\p{L}\p{M}\p{N}_]*/uy,
  number: /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y,
  /** What sticks to a number and makes it none: `12abc`, `1.5.2`, `1_000`, `3.` (but `0..9` is a range). */
  numberTail: /(?:[A-Za-z0-9_]|\.(?!\.))+/y,
  pointNumber: /\.[0-9]+(?:[eE][+-]?[0-9]+)?/y,
  string: /"[^"\n]*"/y,
  otherString: /'[^'\n]*'|[\u201c\u201d][^\u201c\u201d"\n]*[\u201c\u201d"]/y,
  restOfLine: /[^\n]*/y,
} as const;

/** All tokens of the source with a last one of kind `eof`. Linear in the length of the text. */
export function tokenize(source: Source, diagnostics: Diagnostics): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = 0;
  let first = true;
  let indent = 0;
  /** Where the last run of unexpected characters ended: a run is reported once. */
  let strayEnd = -1;
  const foreignWords = new Set<string>();

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (kind: TokenKind, length: number, meaning = text.slice(at, at + length)): void => {
    tokens.push({ kind, text: meaning, start: at, end: at + length, first, indent });
    at += length;
    first = false;
  };
  const span = (length: number, from = at) => ({ source, start: from, end: from + length });

  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '\n') {
      at += 1;
      first = true;
      indent = 0;
    } else if (character === ' ') {
      if (first) indent += 1;
      at += 1;
    } else if (letter.test(character)) {
      const word = match(patterns.name) ?? character;
      if (foreignWord()) continue;
      push(isKeyword(word) ? 'keyword' : 'name', word.length);
    } else if (blank.test(character)) {
      if (first) indent += character === '\t' ? 4 - (indent % 4) : 1;
      at += 1;
    } else if (text.startsWith('//', at)) {
      at += match(patterns.restOfLine)?.length ?? 0;
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      const end = close < 0 ? text.length : close + 2;
      diagnostics.error('E101', span(2), 'unexpected `/*`', { hint: 'comments are written `// ...`' });
      const lastLine = text.slice(at, end).lastIndexOf('\n');
      if (lastLine >= 0) {
        first = true;
        indent = end - at - lastLine - 1;
      }
      at = end;
    } else if (digit.test(character)) {
      number(match(patterns.number) ?? character);
    } else if (character === '.' && digit.test(text.charAt(at + 1))) {
      const digits = match(patterns.pointNumber) ?? character;
      diagnostics.error('E104', span(digits.length), 'a number cannot begin with a point', {
        hint: `write \`0${digits}\``,
      });
      push('malformed', digits.length);
    } else if (character === '"') {
      const quoted = match(patterns.string);
      if (quoted !== undefined) {
        push('string', quoted.length, quoted.slice(1, -1));
      } else {
        const rest = match(patterns.restOfLine) ?? character;
        diagnostics.error('E105', span(rest.trimEnd().length), 'this string has no closing `"` on its line');
        push('bad', rest.length);
      }
    } else if (character === '#') {
      diagnostics.error('E101', span(1), 'unexpected `#`', { hint: 'comments are written `// ...`' });
      at += match(patterns.restOfLine)?.length ?? 1;
    } else {
      symbol(character);
    }
  }
  push('eof', 0, '');
  return tokens;

  function number(digits: string): void {
    at += digits.length;
    const tail = match(patterns.numberTail) ?? '';
    at -= digits.length;
    const whole = digits + tail;
    if (tail !== '') {
      const hint = numberHint(digits, tail);
      diagnostics.error(
        'E104',
        span(whole.length),
        `\`${whole}\` is not a number`,
        hint === undefined ? {} : { hint },
      );
      push('malformed', whole.length);
    } else if (!Number.isFinite(Number(digits))) {
      diagnostics.error('E104', span(whole.length), `\`${digits}\` is too large for a number`, {
        hint: 'infinity is written `inf`',
      });
      push('malformed', whole.length);
    } else {
      push('number', whole.length);
    }
  }

  /** A word with letters that names do not have: one token, so that what follows is read as if it were a name. */
  function foreignWord(): boolean {
    const word = match(patterns.word);
    if (word === undefined || /^\w*$/.test(word)) return false;
    if (!foreignWords.has(word)) {
      diagnostics.error('E101', span(word.length), `unexpected letters in \`${word}\``, {
        hint: 'names are made of `A` to `Z`, `a` to `z`, digits and `_`',
      });
    }
    foreignWords.add(word);
    push('name', word.length);
    return true;
  }

  function symbol(character: string): void {
    const correction = correctionsByFirst.get(character)?.find(({ wrong }) => text.startsWith(wrong, at));
    const right = symbolsByFirst.get(character)?.find((candidate) => text.startsWith(candidate, at));
    if (right !== undefined && (correction === undefined || right.length > correction.wrong.length)) {
      push('symbol', right.length);
      return;
    }
    if (correction !== undefined) {
      const { wrong, right: meaning, hint } = correction;
      diagnostics.error('E102', span(wrong.length), `\`${wrong}\` is not part of the language`, { hint });
      if (meaning === undefined) push('bad', wrong.length);
      else push(isKeyword(meaning) ? 'keyword' : 'symbol', wrong.length, meaning);
      return;
    }
    const quoted = match(patterns.otherString);
    if (quoted !== undefined) {
      diagnostics.error('E101', span(quoted.length), `unexpected ${nameOf(quoted)}`, {
        hint: 'strings are written with the double quotes of the keyboard, `"..."`',
      });
      push('string', quoted.length, quoted.slice(1, -1));
      return;
    }
    if (foreignWord()) return;
    const point = text.codePointAt(at) ?? 0;
    const length = point > 0xffff ? 2 : 1;
    if (strayEnd !== at) {
      const hint = strayHint(character, text.charAt(at + 1));
      diagnostics.error(
        'E101',
        span(length),
        `unexpected ${nameOf(String.fromCodePoint(point))}`,
        hint === undefined ? {} : { hint },
      );
    }
    push('bad', length);
    strayEnd = at;
  }
}

function strayHint(character: string, next: string): string | undefined {
  if (character === "'") return "a prime follows a name without a space: `m'`";
  if (character === '.' && letter.test(next)) return 'functions are called as `f(x)` or `x |> f`';
  return undefined;
}

/** What may be meant by a number with something stuck to it. */
function numberHint(digits: string, tail: string): string | undefined {
  if (/^[eE]$/.test(tail)) return 'an exponent needs digits: `1e-3`';
  if (/^(?:_[0-9]+)+$/.test(tail)) return 'write the digits without `_`';
  if (digits === '0' && /^[xXbBoO]/.test(tail)) return 'numbers are decimal';
  if (/^[A-Za-z_]\w*$/.test(tail)) return `a product is written with a \`*\`: \`${digits} * ${tail}\``;
  return tail === '.' ? `write \`${digits}\` or \`${digits}.0\`` : undefined;
}

/** The character in backticks, or the number of a character that cannot be seen. */
function nameOf(text: string): string {
  const [character = ''] = text;
  const visible = /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character);
  const number = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return visible && character !== '`' ? `\`${character}\`` : `character U+${number}`;
}
