/**
 * @file Expressions of the loop program as TypeScript. One line an operator; parentheses only where the tree needs
 * them, so that the emitted sum is evaluated in the order of the loop program (floating-point sums do not regroup).
 *
 * Elements are read as `a[i]!`: under `noUncheckedIndexedAccess` every other way (an own array type with an index
 * signature, a default, a cast) has the same `undefined` or costs an instruction; `!` is erased and leaves `a[i]`.
 */
import type { BinaryOperator, UnaryOperator } from '../../graph/types.ts';
import type { Condition, Value } from '../../schedule/types.ts';
import {
  atLeast,
  binding,
  integerPiece,
  numberPiece,
  primary,
  printInteger,
  type Helper,
  type Naming,
  type Piece,
  solved,
} from './integers.ts';

export function printValue(value: Value, naming: Naming): string {
  return valuePiece(value, naming).text;
}

const namedConstants: Readonly<Record<string, readonly [number, string]>> = {
  pi: [Math.PI, 'Math.PI'],
  e: [Math.E, 'Math.E'],
};

function valuePiece(value: Value, naming: Naming): Piece {
  switch (value.kind) {
    case 'number': {
      const known = value.name === undefined ? undefined : namedConstants[value.name];
      return known !== undefined && known[0] === value.value ? primary(known[1]) : numberPiece(value.value);
    }
    case 'variable':
      return primary(naming.variable(value.name));
    case 'load':
      return primary(`${naming.buffer(value.buffer)}[${printInteger(value.offset, naming)}]!`);
    case 'from_integer':
      return integerPiece(value.value, naming);
    case 'unary':
      return unaryForms[value.operator](value.operand, naming);
    case 'binary':
      return binaryForms[value.operator](value.left, value.right, naming);
    case 'select':
      return conditional(
        conditionPiece(value.condition, naming),
        printBranch(value.then, naming),
        printBranch(value.otherwise, naming),
      );
    case 'truth':
      return truth(conditionPiece(value.condition, naming));
  }
}

function printBranch(value: Value, naming: Naming): string {
  return atLeast(valuePiece(value, naming), binding.or);
}

function conditional(condition: Piece, then: string, otherwise: string): Piece {
  return { text: `${atLeast(condition, binding.or)} ? ${then} : ${otherwise}`, level: binding.conditional };
}

const truth = (condition: Piece): Piece => conditional(condition, '1', '0');

type UnaryForm = (operand: Value, naming: Naming) => Piece;

const ofMath =
  (name: string & keyof Math): UnaryForm =>
  (operand, naming) =>
    primary(`Math.${name}(${printValue(operand, naming)})`);

const ofHelper =
  (name: Helper): UnaryForm =>
  (operand, naming) =>
    primary(`${naming.helper(name)}(${printValue(operand, naming)})`);

const unaryForms: Readonly<Record<UnaryOperator, UnaryForm>> = {
  negate: (operand, naming) => {
    const text = atLeast(valuePiece(operand, naming), binding.unary);
    return { text: text.startsWith('-') ? `-(${text})` : `-${text}`, level: binding.unary };
  },
  abs: ofMath('abs'),
  sign: ofMath('sign'),
  floor: ofMath('floor'),
  ceil: ofMath('ceil'),
  round: ofHelper('roundHalfEven'),
  exp: ofHelper('exp'),
  expm1: ofMath('expm1'),
  log: ofMath('log'),
  log1p: ofMath('log1p'),
  log2: ofMath('log2'),
  sqrt: ofMath('sqrt'),
  sin: ofMath('sin'),
  cos: ofMath('cos'),
  tan: ofMath('tan'),
  asin: ofMath('asin'),
  acos: ofMath('acos'),
  atan: ofMath('atan'),
  sinh: ofMath('sinh'),
  cosh: ofMath('cosh'),
  tanh: ofHelper('tanh'),
  asinh: ofMath('asinh'),
  acosh: ofMath('acosh'),
  atanh: ofMath('atanh'),
  erf: ofHelper('erf'),
  sigmoid: ofHelper('sigmoid'),
  softplus: ofHelper('softplus'),
  relu: (operand, naming) => primary(`Math.max(${printValue(operand, naming)}, 0)`), // keeps NaN, as x > 0 ? x : 0 would not
  norm_sqrt: ofMath('sqrt'),
  not: (operand, naming) => truth(equality(operand, '===', { kind: 'number', value: 0 }, naming)),
  stop_gradient: (operand, naming) => valuePiece(operand, naming),
};

type BinaryForm = (left: Value, right: Value, naming: Naming) => Piece;

/** left operator right, for an operator that groups to the left. */
const infix =
  (operator: string, level: number): BinaryForm =>
  (left, right, naming) => ({
    text: `${atLeast(valuePiece(left, naming), level)} ${operator} ${atLeast(valuePiece(right, naming), level + 1)}`,
    level,
  });

const callOf =
  (name: 'max' | 'min' | 'atan2'): BinaryForm =>
  (left, right, naming) =>
    primary(`Math.${name}(${printValue(left, naming)}, ${printValue(right, naming)})`);

const comparison =
  (operator: '<' | '<=' | '>' | '>='): BinaryForm =>
  (left, right, naming) =>
    infix(operator, binding.relational)(left, right, naming);

const equality = (left: Value, operator: '===' | '!==', right: Value, naming: Naming): Piece =>
  infix(operator, binding.equality)(left, right, naming);

const add = infix('+', binding.additive);
const subtract = infix('-', binding.additive);

/** a + (-b) is a - b to the bit. */
function withoutSign(value: Value): Value | undefined {
  if (value.kind === 'unary' && value.operator === 'negate') return value.operand;
  if (value.kind === 'number' && value.value < 0) return { kind: 'number', value: -value.value };
  return undefined;
}

function power(left: Value, right: Value, naming: Naming): Piece {
  if (right.kind === 'number') {
    const simple = left.kind === 'variable' || left.kind === 'number';
    if (right.value === 1) return valuePiece(left, naming);
    if (right.value === 2) {
      return simple
        ? infix('*', binding.multiplicative)(left, left, naming)
        : ofHelper('square')(left, naming);
    }
    if (right.value === 3) return ofHelper('cube')(left, naming);
    if (right.value === -1) {
      return infix('/', binding.multiplicative)({ kind: 'number', value: 1 }, left, naming);
    }
  }
  return primary(`Math.pow(${printValue(left, naming)}, ${printValue(right, naming)})`);
}

const asTruth =
  (form: BinaryForm): BinaryForm =>
  (left, right, naming) =>
    truth(form(left, right, naming));

/** Comparisons and logic as conditions; as values they are 1 or 0. */
const conditionForms = {
  less: comparison('<'),
  less_equal: comparison('<='),
  greater: comparison('>'),
  greater_equal: comparison('>='),
  equal: (left, right, naming) => equality(left, '===', right, naming),
  not_equal: (left, right, naming) => equality(left, '!==', right, naming),
  and: (left, right, naming) => logic('&&', binding.and, [nonzero(left, naming), nonzero(right, naming)]),
  or: (left, right, naming) => logic('||', binding.or, [nonzero(left, naming), nonzero(right, naming)]),
} satisfies Partial<Record<BinaryOperator, BinaryForm>>;

const binaryForms: Readonly<Record<BinaryOperator, BinaryForm>> = {
  add: (left, right, naming) => {
    const positive = withoutSign(right);
    return positive === undefined ? add(left, right, naming) : subtract(left, positive, naming);
  },
  subtract,
  multiply: infix('*', binding.multiplicative),
  divide: infix('/', binding.multiplicative),
  power,
  max: callOf('max'),
  min: callOf('min'),
  atan2: callOf('atan2'),
  modulo: (left, right, naming) =>
    primary(`${naming.helper('modulo')}(${printValue(left, naming)}, ${printValue(right, naming)})`),
  less: asTruth(conditionForms.less),
  less_equal: asTruth(conditionForms.less_equal),
  greater: asTruth(conditionForms.greater),
  greater_equal: asTruth(conditionForms.greater_equal),
  equal: asTruth(conditionForms.equal),
  not_equal: asTruth(conditionForms.not_equal),
  and: asTruth(conditionForms.and),
  or: asTruth(conditionForms.or),
};

export function printCondition(condition: Condition, naming: Naming): string {
  return conditionPiece(condition, naming).text;
}

const javascriptComparison = {
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '==': '===',
  '!=': '!==',
} as const;

function compare(operator: keyof typeof javascriptComparison, left: Piece, right: Piece): Piece {
  const level = operator === '==' || operator === '!=' ? binding.equality : binding.relational;
  return {
    text: `${atLeast(left, level + 1)} ${javascriptComparison[operator]} ${atLeast(right, level + 1)}`,
    level,
  };
}

function conditionPiece(condition: Condition, naming: Naming): Piece {
  switch (condition.kind) {
    case 'compare':
      return compare(
        condition.operator,
        valuePiece(condition.left, naming),
        valuePiece(condition.right, naming),
      );
    case 'compare_integer': {
      const { operator, left, right } = solved(condition);
      return compare(operator, integerPiece(left, naming), integerPiece(right, naming));
    }
    case 'nonzero':
      return nonzero(condition.value, naming);
    case 'all':
      if (condition.of.length === 0) return primary('true');
      return logic(
        '&&',
        binding.and,
        condition.of.map((part) => conditionPiece(part, naming)),
      );
    case 'any':
      if (condition.of.length === 0) return primary('false');
      return logic(
        '||',
        binding.or,
        condition.of.map((part) => conditionPiece(part, naming)),
      );
    case 'not':
      return {
        text: `!${atLeast(conditionPiece(condition.of, naming), binding.unary)}`,
        level: binding.unary,
      };
  }
}

/** value ≠ 0; a value that is itself a truth is not compared again. */
function nonzero(value: Value, naming: Naming): Piece {
  if (value.kind === 'truth') return conditionPiece(value.condition, naming);
  if (value.kind === 'binary' && value.operator in conditionForms) {
    return conditionForms[value.operator as keyof typeof conditionForms](value.left, value.right, naming);
  }
  const zero: Value = { kind: 'number', value: 0 };
  if (value.kind === 'unary' && value.operator === 'not') return equality(value.operand, '===', zero, naming);
  return equality(value, '!==', zero, naming);
}

function logic(operator: '&&' | '||', level: number, parts: readonly Piece[]): Piece {
  if (parts.length === 1) return parts[0]!;
  return { text: parts.map((part) => atLeast(part, level + 1)).join(` ${operator} `), level };
}
