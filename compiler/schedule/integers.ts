/** Integer expressions of loops, folded while they are built; sizes; names that are valid identifiers. */
import type { Extent } from '../graph/types.ts';
import type { IntegerExpression, Size } from './types.ts';

export function integer(value: number): IntegerExpression {
  return { kind: 'integer', value };
}

export function variable(name: string): IntegerExpression {
  return { kind: 'variable', name };
}

/** The sum, flat, constants folded into one number at the end. */
export function sum(...terms: readonly IntegerExpression[]): IntegerExpression {
  const flat = terms.flatMap((term): readonly IntegerExpression[] =>
    term.kind === 'sum' ? term.terms : [term],
  );
  const constant = flat.reduce((total, term) => total + (term.kind === 'integer' ? term.value : 0), 0);
  const rest: IntegerExpression[] = flat.filter((term) => term.kind !== 'integer');
  if (constant !== 0 || rest.length === 0) rest.push(integer(constant));
  return rest.length === 1 && rest[0] ? rest[0] : { kind: 'sum', terms: rest };
}

export function product(left: IntegerExpression, right: IntegerExpression): IntegerExpression {
  if (left.kind === 'integer' && right.kind === 'integer') return integer(left.value * right.value);
  if (left.kind === 'integer') return product(right, left);
  if (right.kind === 'integer') {
    if (right.value === 0) return right;
    if (right.value === 1) return left;
    if (left.kind === 'sum') return sum(...left.terms.map((term) => product(term, right)));
    if (left.kind === 'product' && left.right.kind === 'integer')
      return product(left.left, integer(left.right.value * right.value));
  }
  return { kind: 'product', left, right };
}

/** floor(of / by), by > 0. */
export function floorDivide(of: IntegerExpression, by: number): IntegerExpression {
  if (by === 1) return of;
  if (of.kind === 'integer') return integer(Math.floor(of.value / by));
  return { kind: 'floor_divide', of, by };
}

/** of mod by, in 0 .. by-1. */
export function modulo(of: IntegerExpression, by: number): IntegerExpression {
  if (of.kind === 'integer') return integer(of.value - by * Math.floor(of.value / by));
  return { kind: 'modulo', of, by };
}

export function minimum(left: IntegerExpression, right: IntegerExpression): IntegerExpression {
  return extreme('minimum', left, right);
}

export function maximum(left: IntegerExpression, right: IntegerExpression): IntegerExpression {
  return extreme('maximum', left, right);
}

function extreme(
  kind: 'minimum' | 'maximum',
  left: IntegerExpression,
  right: IntegerExpression,
): IntegerExpression {
  if (left.kind === 'integer' && right.kind === 'integer')
    return integer(
      kind === 'minimum' ? Math.min(left.value, right.value) : Math.max(left.value, right.value),
    );
  return integerKey(left) === integerKey(right) ? left : { kind, left, right };
}

/** A text that is equal for equal expressions, and only for those. */
export function integerKey(expression: IntegerExpression): string {
  switch (expression.kind) {
    case 'integer':
      return String(expression.value);
    case 'variable':
      return expression.name;
    case 'sum':
      return `(${expression.terms.map(integerKey).join('+')})`;
    case 'product':
    case 'minimum':
    case 'maximum':
      return `${expression.kind}(${integerKey(expression.left)},${integerKey(expression.right)})`;
    case 'floor_divide':
    case 'modulo':
      return `${expression.kind}(${integerKey(expression.of)},${expression.by})`;
    case 'load_integer':
      return `${expression.buffer}[${integerKey(expression.offset)}]`;
  }
}

/** True for what needs no constant of its own: a number, a variable. */
export function isTrivialInteger(expression: IntegerExpression): boolean {
  return expression.kind === 'integer' || expression.kind === 'variable';
}

// -------------------------------------------------------------------------------------------------------------- sizes

/** A product of extents: coefficient · symbol^power. */
export interface Monomial {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

const unitMonomial: Monomial = { coefficient: 1, symbols: [] };

export function timesExtent(monomial: Monomial, extent: Extent): Monomial {
  return typeof extent === 'number'
    ? { ...monomial, coefficient: monomial.coefficient * extent }
    : { ...monomial, symbols: [...monomial.symbols, extent].toSorted() };
}

export function scaleMonomial(monomial: Monomial, factor: number): Monomial {
  return { ...monomial, coefficient: monomial.coefficient * factor };
}

export function equalMonomials(left: Monomial | undefined, right: Monomial | undefined): boolean {
  if (!left || !right) return left === right;
  return left.coefficient === right.coefficient && left.symbols.join() === right.symbols.join();
}

/** The distance of neighbours along each axis of a row-major tensor. */
export function stridesOf(axes: readonly Extent[]): Monomial[] {
  const strides: Monomial[] = [];
  let stride = unitMonomial;
  for (const extent of axes.toReversed()) {
    strides.unshift(stride);
    stride = timesExtent(stride, extent);
  }
  return strides;
}

export function elementsOf(axes: readonly Extent[]): Monomial {
  return axes.reduce(timesExtent, unitMonomial);
}

/** A size made of `constant`, `linear` and `quadratic` parts in one symbol. */
export function makeSize(parts: readonly number[], symbol: string | undefined): Size {
  const [constant = 0, coefficient = 0, quadratic = 0] = parts;
  if (symbol === undefined || (coefficient === 0 && quadratic === 0)) return { constant };
  return { constant, symbol, coefficient, ...(quadratic === 0 ? {} : { quadratic }) };
}

/** The value of a size, in elements. */
export function evaluateSize(size: Size, extents: ReadonlyMap<string, number>): number {
  if (size.symbol === undefined) return size.constant;
  const symbol = extents.get(size.symbol);
  if (symbol === undefined) throw new Error(`the run-time size '${size.symbol}' is not given`);
  return size.constant + (size.coefficient ?? 0) * symbol + (size.quadratic ?? 0) * symbol * symbol;
}

// -------------------------------------------------------------------------------------------------------------- names

const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export ' +
    'extends false finally for function if implements import in instanceof interface let new null package private ' +
    'protected public return static super switch this throw true try typeof undefined var void while with yield ' +
    'Math Infinity NaN Number Float32Array Float64Array Int32Array'
  ).split(' '),
);

/** A tensor's or an index' name as an identifier: `m'` is `m_next`. */
export function identifier(name: string): string {
  const plain = name.replaceAll("'", '_next').replace(/[^A-Za-z0-9_$]/g, '_');
  return reserved.has(plain) || /^\d/.test(plain) ? `${plain}_` : plain;
}
