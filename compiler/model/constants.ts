/**
 * Numbers known at compile time: hyper-parameters, conditions, entries of `train`, arguments of initialisers.
 *
 * An expression is constant if all it uses is: literals, dims, `pi`, `e`, `inf`, `true` (1), `false` (0), hyper-parameters,
 * arithmetic, comparisons, built-in functions, and fns of such.
 */
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { SyntaxExpression } from '../syntax/tree.ts';
import { Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import type { Scope } from './scope.ts';

export interface ConstantOptions {
  /** What the number is for, as the subject of an error message: "the rate of adam". */
  readonly what?: string;
  /** The code of an expression that is no constant; default E501. */
  readonly code?: DiagnosticCode;
}

/**
 * The value of a constant expression. Reports what is wrong with another (unknown names by their own codes, "not known at
 * compile time" by `code`) and gives undefined. The result may be infinite (`inf`) but is never NaN.
 */
export function evaluateConstant(
  syntax: SyntaxExpression,
  scope: Scope,
  reporter: Diagnostics | Elaboration,
  options: ConstantOptions = {},
): number | undefined {
  const { what = 'this', code = 'E501' } = options;
  const elaboration = reporter instanceof Elaboration ? reporter : new Elaboration(reporter);
  const value = elaborateExpression(syntax, scope, elaboration);
  if (value.kind === 'error') return undefined;
  if (value.constant === undefined) {
    elaboration.error(code, syntax.span, `${what} must be a number known at compile time`, {
      hint: 'use numbers, dims and hyper-parameters',
    });
    return undefined;
  }
  if (Number.isNaN(value.constant)) {
    elaboration.error(code, syntax.span, `${what} is not a number (NaN)`, {
      hint: 'look for `0 / 0`, a root or a logarithm of a negative number',
    });
    return undefined;
  }
  return value.constant;
}
