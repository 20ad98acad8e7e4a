/** Sizes: whole numbers known at compile time, and the one open dimension, which is bound at run time. */
import type { Span } from '../diagnostics/source.ts';
import type { Extent } from '../graph/types.ts';
import type { SyntaxExpression } from '../syntax/tree.ts';
import { evaluateConstant } from './constants.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';

/** Loops count with 32-bit integers. */
export const greatestSize = 2 ** 31 - 1;

/** The size of an axis: a positive whole number, or an open dimension by its name. Reports and gives undefined if neither. */
export function elaborateSize(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
): Extent | undefined {
  if (syntax.kind === 'reference') {
    const entry = scope.lookupTensor(syntax.name.text);
    if (entry?.kind === 'size') {
      entry.used = true;
      if (typeof entry.extent === 'string' || entry.extent >= 1) return entry.extent;
    }
    if (entry?.kind === 'tensor') {
      elaboration.error('E304', syntax.span, `\`${syntax.name.text}\` is a tensor, not a size`, {
        notes: [{ span: entry.span, message: 'declared here' }],
        hint: 'a size is a number, a dim or an expression of dims',
      });
      return undefined;
    }
  }
  return elaborateWhole(syntax, scope, elaboration, { what: 'a size', least: 1 });
}

/** A whole number known at compile time: the value of a dim, the bound of an integer input. */
export function elaborateWhole(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
  options: { readonly what: string; readonly least: number },
): number | undefined {
  const { what, least } = options;
  const value = evaluateConstant(syntax, scope, elaboration, { what, code: 'E304' });
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) {
    elaboration.error('E303', syntax.span, `${what} must be a whole number, but this is ${value}`, {
      hint: Number.isFinite(value) ? 'round it with `floor(...)` or `ceil(...)`' : 'look for a division by 0',
    });
    return undefined;
  }
  if (value < least || value > greatestSize) {
    elaboration.error('E303', syntax.span, `${what} must be ${rangeText(least)}, but this is ${value}`);
    return undefined;
  }
  return value;
}

function rangeText(least: number): string {
  return least === -greatestSize ? `at most ${greatestSize}` : `from ${least} to ${greatestSize}`;
}

/** Reports E301 where two extents that must be equal are not. True if they are. */
export function agree(
  elaboration: Elaboration,
  expected: Extent,
  found: Extent,
  span: Span,
  what: string,
  note: { readonly span: Span; readonly message: string },
): boolean {
  if (expected === found) return true;
  elaboration.error('E301', span, `${what} is ${found}, expected ${expected}`, { notes: [note] });
  return false;
}
