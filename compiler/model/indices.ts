/** Expressions between the brackets of a read: integer-valued, in the index arithmetic of the graph. */
import type { Span } from '../diagnostics/source.ts';
import {
  addIndex,
  isConstantIndex,
  quotientIndex,
  remainderIndex,
  scaleIndex,
  subtractIndex,
} from '../graph/expressions.ts';
import type { IndexExpression, Tensor } from '../graph/types.ts';
import type { BinaryExpression, Call, SyntaxExpression } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { collecting } from './inner-reads.ts';
import type { Scope } from './scope.ts';
import { didYouMean } from './scope.ts';
import { asIndex } from './values.ts';

/** An index expression, or undefined after a report. */
export function elaborateIndex(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
): IndexExpression | undefined {
  if (!elaboration.enter(syntax.span, 1)) return undefined;
  const index = indexOfSyntax(syntax, scope, elaboration);
  elaboration.leave(1);
  return index;
}

function indexOfSyntax(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
): IndexExpression | undefined {
  switch (syntax.kind) {
    case 'reference':
      if (isIndexName(syntax.name.text, scope)) return fromValue(syntax, scope, elaboration);
      reportUnboundIndex(syntax.name.text, syntax.span, scope, elaboration);
      return undefined;
    case 'unary': {
      if (syntax.operator !== '-') return fromValue(syntax, scope, elaboration);
      const operand = elaborateIndex(syntax.operand, scope, elaboration);
      return operand && scaleIndex(operand, -1);
    }
    case 'binary':
      return indexArithmetic(syntax, scope, elaboration);
    case 'call':
      if (syntax.callee.text === '..') {
        elaboration.error('E402', syntax.span, '`..` stands alone between the brackets of a read');
        return undefined;
      }
      return indexCall(syntax, scope, elaboration);
    default:
      return fromValue(syntax, scope, elaboration);
  }
}

/** False for a name that can only be meant as an index that nothing binds. */
function isIndexName(name: string, scope: Scope): boolean {
  const entry = scope.lookup(name);
  if (entry === undefined) return scope.lookupPending(name) !== undefined;
  return entry.kind !== 'size' || typeof entry.extent === 'number';
}

/** E405 where the left side has indices, else E401. */
export function reportUnboundIndex(name: string, span: Span, scope: Scope, elaboration: Elaboration): void {
  const { frame } = elaboration;
  if (frame?.unbound.has(name)) return;
  frame?.unbound.add(name);
  const bound = scope.visible('values').filter((other) => scope.lookup(other)?.kind === 'index');
  const suggestion = didYouMean(name, name.length > 1 ? bound : []);
  if (frame?.indexed) {
    elaboration.error('E405', span, `index \`${name}\` is free on the right but missing on the left`, {
      hint: suggestion ?? `add it to the left, or reduce over it: \`sum[${name}](...)\``,
    });
  } else {
    elaboration.error('E401', span, `index \`${name}\` is not bound`, {
      hint:
        suggestion ??
        (frame?.scattered
          ? `name it at the end of the statement, \`for ${name}\`, or reduce over it: \`sum[${name}](...)\``
          : `reduce over it, \`sum[${name}](...)\`, or put it on the left side of the statement`),
    });
  }
}

function indexArithmetic(
  syntax: BinaryExpression,
  scope: Scope,
  elaboration: Elaboration,
): IndexExpression | undefined {
  const { operator } = syntax;
  if (operator !== '+' && operator !== '-' && operator !== '*' && operator !== '/')
    return fromValue(syntax, scope, elaboration);
  const left = elaborateIndex(syntax.left, scope, elaboration);
  const right = elaborateIndex(syntax.right, scope, elaboration);
  if (left === undefined || right === undefined) return undefined;
  if (operator === '+') return addIndex(left, right);
  if (operator === '-') return subtractIndex(left, right);
  const divisor = isConstantIndex(right);
  if (operator === '/') return divided(left, divisor, syntax, elaboration);
  if (divisor !== undefined) return scaleIndex(left, divisor);
  const factor = isConstantIndex(left);
  if (factor !== undefined) return scaleIndex(right, factor);
  elaboration.error('E402', syntax.span, 'a product of two indices is not an index expression', {
    hint: 'one factor must be a whole number or a dim',
  });
  return undefined;
}

/** floor(index / by), or the exact quotient */
function divided(
  index: IndexExpression,
  by: number | undefined,
  syntax: SyntaxExpression,
  elaboration: Elaboration,
  exact = false,
): IndexExpression | undefined {
  if (by !== undefined && by > 0) return quotientIndex(index, by, exact);
  elaboration.error('E402', syntax.span, 'an index can only be divided by a positive whole number', {
    hint: 'in an index `/` is floor division by a number or a dim',
  });
  return undefined;
}

/** `exact((i - u) / 2)`: where the quotient is not whole, the read is outside its tensor. */
function exactQuotient(
  { arguments: [argument, ...more], span }: Call,
  scope: Scope,
  elaboration: Elaboration,
): IndexExpression | undefined {
  const quotient = argument?.value;
  if (more.length > 0 || quotient?.kind !== 'binary' || quotient.operator !== '/') {
    elaboration.error('E402', span, '`exact` takes a quotient', { hint: '`x[exact((i - u) / 2)] else 0`' });
    return undefined;
  }
  const of = elaborateIndex(quotient.left, scope, elaboration);
  const by = elaborateIndex(quotient.right, scope, elaboration);
  return of && by && divided(of, isConstantIndex(by), quotient, elaboration, true);
}

/** mod(i, 2); floor(i / 2), which is i / 2 */
function indexCall(syntax: Call, scope: Scope, elaboration: Elaboration): IndexExpression | undefined {
  const name = syntax.callee.text;
  const [first, second] = syntax.arguments;
  const builtIn = scope.lookupCallable(name) === undefined && syntax.binders === undefined;
  if (builtIn && name === 'exact') return exactQuotient(syntax, scope, elaboration);
  if (builtIn && name === 'floor' && first && second === undefined)
    return elaborateIndex(first.value, scope, elaboration);
  if (!builtIn || name !== 'mod' || !first || !second || syntax.arguments.length > 2)
    return fromValue(syntax, scope, elaboration);
  const of = elaborateIndex(first.value, scope, elaboration);
  const by = elaborateIndex(second.value, scope, elaboration);
  if (of === undefined || by === undefined) return undefined;
  const modulus = isConstantIndex(by);
  if (modulus !== undefined && modulus > 0) return remainderIndex(of, modulus);
  elaboration.error('E402', second.value.span, 'the modulus of an index must be a positive whole number', {
    hint: '`mod(i, 2)`',
  });
  return undefined;
}

/** What is an ordinary expression, but whole by construction: constants, indices, elements of integer tensors. */
function fromValue(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
): IndexExpression | undefined {
  const value =
    syntax.kind === 'read'
      ? elaborateExpression(syntax, scope, elaboration)
      : collecting(undefined, elaboration, () => elaborateExpression(syntax, scope, elaboration));
  if (value.kind === 'error') return undefined;
  const index = asIndex(value);
  if (index) return index;
  const { constant, axes } = value;
  if (constant !== undefined && Number.isSafeInteger(constant)) return { terms: [], constant };
  if (constant !== undefined) {
    elaboration.error('E402', syntax.span, `an index must be a whole number, but this is ${constant}`);
  } else if (axes.length > 0) {
    elaboration.error('E402', syntax.span, 'a whole tensor cannot be an index', {
      hint: 'read it with indices of its own: `E[tokens[n, t], d]`',
    });
  } else if (syntax.kind === 'read' && syntax.outside !== undefined) {
    elaboration.error('E402', syntax.span, '`else` gives a value, and an index is a place', {
      hint: 'put it behind the whole read: `E[tokens[n, t - 1], d] else 0`',
    });
  } else if (syntax.kind === 'read' && syntax.tensor.kind === 'reference') {
    reportRealIndex(syntax.tensor.name.text, syntax.span, scope, elaboration);
  } else {
    elaboration.error('E402', syntax.span, 'this is not an integer expression of indices', {
      hint: 'use `+ - *` with whole numbers, `/` (floor division), `mod(i, 2)` and elements of integer inputs',
    });
  }
  return undefined;
}

const declaredAxes = ({ axes }: Tensor): string => (axes.length === 0 ? '' : `[${axes.join(', ')}]`);

/** `E[token[n], d]` where token is not declared to hold integers. */
function reportRealIndex(name: string, span: Span, scope: Scope, elaboration: Elaboration): void {
  const entry = scope.lookupTensor(name);
  if (entry?.kind === 'recurrent') {
    elaboration.error('E402', span, `\`${name}\` is computed in this scan and cannot be an index here`, {
      notes: [{ span: entry.span, message: `\`${name}\` is computed here` }],
      hint: 'in a scan a place, `k[t] = argmax[i](...)`, is an index for the statements further down, at the same step',
    });
    return;
  }
  elaboration.error('E402', span, `\`${name}\` holds real numbers, and an index must be whole`, {
    notes: entry ? [{ span: entry.span, message: `\`${name}\` is declared here` }] : [],
    hint:
      entry?.kind === 'tensor' && entry.tensor.role === 'input'
        ? `declare the range of its values: \`input ${entry.tensor.name}${declaredAxes(entry.tensor)}: 1000\` holds 0 to 999`
        : 'only inputs with a range, `argmax` and `argmin` are whole',
  });
}
