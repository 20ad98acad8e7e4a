/** @file Names, pieces of text with their binding, numbers, and integer expressions of the loop program as TypeScript. */
import { integer, sum } from '../../schedule/integers.ts';
import type { Condition, IntegerExpression } from '../../schedule/types.ts';

/** Functions that the emitted file defines, or imports, where it uses them. */
export type Helper = Elementary | 'sigmoid' | 'softplus' | 'roundHalfEven' | 'modulo' | 'square' | 'cube';

/** Those that are built in or the runtime's, and that modules with float32 arrays have as polynomials. */
export type Elementary = 'exp' | 'tanh' | 'erf';

/** How names of the loop program are called in the emitted function. */
export interface Naming {
  variable(name: string): string;
  buffer(name: string): string;
  /** What it is called where it is called: exp is `Math.exp`, or `exp`. */
  helper(name: Helper): string;
  /** The integer variable is known to be 0 or more. */
  nonNegative(name: string): boolean;
}

/** How tightly a piece of text binds, as in the grammar of JavaScript. */
export const binding = {
  conditional: 0,
  or: 1,
  and: 2,
  equality: 3,
  relational: 4,
  additive: 5,
  multiplicative: 6,
  unary: 7,
  primary: 8,
} as const;

export interface Piece {
  readonly text: string;
  readonly level: number;
}

export const primary = (text: string): Piece => ({ text, level: binding.primary });

export function atLeast(piece: Piece, level: number): string {
  return piece.level >= level ? piece.text : `(${piece.text})`;
}

/** A number as a literal that reads back to the same bits. */
export function printNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Object.is(value, -0) ? '-0' : String(value);
}

export function numberPiece(value: number): Piece {
  const text = printNumber(value);
  return { text, level: text.startsWith('-') ? binding.unary : binding.primary };
}

export function printInteger(value: IntegerExpression, naming: Naming): string {
  return integerPiece(value, naming).text;
}

export function integerPiece(value: IntegerExpression, naming: Naming): Piece {
  switch (value.kind) {
    case 'integer':
      return numberPiece(value.value);
    case 'variable':
      return primary(naming.variable(value.name));
    case 'sum':
      return integerSum(value.terms, naming);
    case 'product': {
      const positive = negated(value);
      if (positive !== undefined)
        return { text: `-${atLeast(integerPiece(positive, naming), binding.unary)}`, level: binding.unary };
      return {
        text: `${atLeast(integerPiece(value.left, naming), binding.multiplicative)} * ${atLeast(
          integerPiece(value.right, naming),
          binding.unary,
        )}`,
        level: binding.multiplicative,
      };
    }
    case 'floor_divide':
      return floorDivide(value, naming);
    case 'modulo':
      return moduloOf(value, naming);
    case 'minimum':
    case 'maximum': {
      const left = printInteger(value.left, naming);
      return primary(
        `Math.${value.kind === 'minimum' ? 'min' : 'max'}(${left}, ${printInteger(value.right, naming)})`,
      );
    }
    case 'load_integer':
      return primary(`${naming.buffer(value.buffer)}[${printInteger(value.offset, naming)}]!`);
  }
}

function integerSum(terms: readonly IntegerExpression[], naming: Naming): Piece {
  const given = terms.filter((term) => term.kind !== 'integer' || term.value !== 0);
  if (given.length === 0) return primary('0');
  // 2 - j, not -j + 2
  const lead = given.findIndex((term) => negated(term) === undefined);
  const shown = lead > 0 ? [given[lead]!, ...given.toSpliced(lead, 1)] : given;
  let text = '';
  for (const term of shown) {
    const magnitude = negated(term);
    const piece = atLeast(integerPiece(magnitude ?? term, naming), binding.multiplicative);
    if (text === '') text = magnitude === undefined ? piece : `-${piece}`;
    else text += magnitude === undefined ? ` + ${piece}` : ` - ${piece}`;
  }
  return { text, level: shown.length === 1 ? binding.multiplicative : binding.additive };
}

type Comparison = Extract<Condition, { kind: 'compare_integer' }>;

const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' } as const;

/** Where the sides differ by one, the other operator says it without a number: t - 1 >= 0 is t > 0. */
const atOne = { '<': [-1, '<='], '<=': [1, '<'], '>': [1, '>='], '>=': [-1, '>'] } as const;

/** The comparison as a person writes it: no minus signs where the other side can have the term, `10 - t >= 0` as `t <= 10`. */
export function solved({ kind, operator, left, right }: Comparison): Comparison {
  const termsOf = (side: IntegerExpression): readonly IntegerExpression[] =>
    side.kind === 'sum' ? side.terms : [side];
  const sides: { positive: IntegerExpression[]; negative: IntegerExpression[] } = {
    positive: [],
    negative: [],
  };
  let constant = 0;
  for (const [side, sign] of [
    [left, 1],
    [right, -1],
  ] as const) {
    for (const term of termsOf(side)) {
      const magnitude = negated(term);
      if (term.kind === 'integer') constant += sign * term.value;
      else if ((magnitude === undefined) === (sign === 1)) sides.positive.push(magnitude ?? term);
      else sides.negative.push(magnitude ?? term);
    }
  }
  if (sides.positive.length + sides.negative.length === 0) return { kind, operator, left, right };
  const isTurned = sides.positive.length === 0;
  const [first, second] = isTurned ? [sides.negative, []] : [sides.positive, sides.negative];
  let difference = isTurned ? -constant : constant;
  let found: Comparison['operator'] = isTurned ? mirrored[operator] : operator;
  if (found !== '==' && found !== '!=' && atOne[found][0] === difference) {
    found = atOne[found][1];
    difference = 0;
  }
  const onLeft = difference > 0 && second.length > 0;
  return {
    kind,
    operator: found,
    left: onLeft ? sum(...first, integer(difference)) : sum(...first),
    right: onLeft ? sum(...second) : sum(...second, integer(-difference)),
  };
}

/** The term without its minus sign, if it has one. */
function negated(term: IntegerExpression): IntegerExpression | undefined {
  if (term.kind === 'integer' && term.value < 0) return { kind: 'integer', value: -term.value };
  if (term.kind === 'product' && term.left.kind === 'integer' && term.left.value < 0) {
    if (term.left.value === -1) return term.right;
    return { kind: 'product', left: { kind: 'integer', value: -term.left.value }, right: term.right };
  }
  if (term.kind === 'product' && term.right.kind === 'integer' && term.right.value < 0) {
    return negated({ kind: 'product', left: term.right, right: term.left });
  }
  return undefined;
}

/** ⌊of / by⌋: a shift for powers of two (which floors), truncation where the dividend cannot be negative. */
function floorDivide(value: { readonly of: IntegerExpression; readonly by: number }, naming: Naming): Piece {
  const of = integerPiece(value.of, naming);
  if (value.by === 1) return of;
  const shift = Math.log2(value.by);
  if (Number.isInteger(shift)) return primary(`(${atLeast(of, binding.additive)} >> ${shift})`);
  const quotient = `${atLeast(of, binding.multiplicative)} / ${value.by}`;
  return primary(isNonNegative(value.of, naming) ? `((${quotient}) | 0)` : `Math.floor(${quotient})`);
}

/** of - by·⌊of / by⌋: a mask for powers of two (right for negative numbers too). */
function moduloOf(value: { readonly of: IntegerExpression; readonly by: number }, naming: Naming): Piece {
  const of = integerPiece(value.of, naming);
  if (value.by === 1) return primary('0');
  if (Number.isInteger(Math.log2(value.by))) {
    return primary(`(${atLeast(of, binding.additive)} & ${value.by - 1})`);
  }
  const remainder = `${atLeast(of, binding.multiplicative)} % ${value.by}`;
  if (isNonNegative(value.of, naming)) return { text: remainder, level: binding.multiplicative };
  return primary(`(((${remainder}) + ${value.by}) % ${value.by})`);
}

/** Whether the value is 0 or more for every value of its variables: by signs alone, so `false` may mean "unknown". */
export function isNonNegative(value: IntegerExpression, naming: Naming): boolean {
  const every = (parts: readonly IntegerExpression[]): boolean =>
    parts.every((part) => isNonNegative(part, naming));
  switch (value.kind) {
    case 'integer':
      return value.value >= 0;
    case 'variable':
      return naming.nonNegative(value.name);
    case 'sum':
      return every(value.terms);
    case 'product':
    case 'minimum':
      return every([value.left, value.right]);
    case 'maximum':
      return isNonNegative(value.left, naming) || isNonNegative(value.right, naming);
    case 'floor_divide':
      return isNonNegative(value.of, naming);
    case 'modulo':
      return true;
    case 'load_integer':
      return false;
  }
}
