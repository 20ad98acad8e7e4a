/** @file Long formulas in lines: broken before an operator that stands outside of all brackets. */
import type { Tex } from './types.ts';

/** Lines are not longer, in letters as wide as an x. */
const WIDTH = 68;

/** What opens or closes something in LaTeX, an operator, or one piece of anything else. */
const piece = /\\(?:left|right|begin|end)(?![a-zA-Z])|\\cdot(?![a-zA-Z])|\\[a-zA-Z]+\*?|\\.|[{}]|[+-]|./g;

const opening: ReadonlySet<string> = new Set(['\\left', '\\begin', '{']);
const closing: ReadonlySet<string> = new Set(['\\right', '\\end', '}']);

/** A line of an `aligned` block, by itself or as a block of several lines. */
export function inLines(tex: Tex): string {
  const [left = '', ...rest] = tex.split('&');
  const right = rest.join('&');
  if (widthOf(left) + widthOf(right) <= WIDTH) return `${left}${right}`;
  const parts = partsOf(right);
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    const isFull = line !== '' && widthOf(left) + widthOf(line) + widthOf(part) > WIDTH;
    if (isFull) lines.push(line);
    line = isFull ? part : line + part;
  }
  lines.push(line);
  if (lines.length === 1) return `${left}${right}`;
  return `\\begin{aligned}${left}&${lines.join(' \\\\ &\\quad {}')}\\end{aligned}`;
}

/** Summands and factors, each with the operator before it. */
function partsOf(tex: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  let isFirst = true;
  for (const [token] of tex.matchAll(piece)) {
    if (closing.has(token)) depth--;
    const isOperator = depth === 0 && ['+', '-', '\\cdot'].includes(token);
    // the sign of what stands first, or behind another operator, belongs to it
    if (isOperator && !isFirst && part.trim() !== '') {
      parts.push(part);
      part = '';
    }
    part += token;
    if (opening.has(token)) depth++;
    if (token.trim() !== '') isFirst = isOperator || token === '=';
  }
  return [...parts, part];
}

/** About how many letters it is wide: commands are none, subscripts are smaller. */
export function widthOf(tex: string): number {
  const rows = tex.replaceAll(
    /\\(?:mathit|mathrel|operatorname\*?|text|mathrm|left|right|quad|begin|end|sum|frac)/g,
    '',
  );
  const letters = rows.replaceAll(/\\[a-zA-Z]+/g, 'x').replaceAll(/[{}\\&\s]/g, '');
  const subscripts = [...rows.matchAll(/_\{([^{}]*)\}/g)].reduce(
    (sum, [, inside = '']) => sum + inside.length,
    0,
  );
  return letters.length - subscripts * 0.4;
}
