/** What a bound value is called: by what it is made of where that is short (`z_plus_b2`), else by its operation. */
import { isPlainIndex } from '../graph/expressions.ts';
import type { BinaryOperator, Expression, UnaryOperator } from '../graph/types.ts';

/** Longer names say less than the formula. */
const longestName = 24;

const operationNames: Partial<Record<BinaryOperator | UnaryOperator, string>> = {
  add: 'sum',
  subtract: 'difference',
  multiply: 'product',
  divide: 'quotient',
  power: 'power',
  max: 'larger',
  min: 'smaller',
  exp: 'exponential',
  log: 'logarithm',
  sqrt: 'root',
  norm_sqrt: 'root',
  negate: 'negative',
};

const infixNames: Partial<Record<BinaryOperator, string>> = {
  add: 'plus',
  subtract: 'minus',
  multiply: 'times',
  divide: 'over',
};

const numberNames: Readonly<Record<string, string>> = { 0: 'zero', 1: 'one', 2: 'two' };

const powerNames: Readonly<Record<string, string>> = { 2: 'squared', 3: 'cubed' };

/** Indices as one word: `ij`; longer names keep apart: `row_column`. */
export function indexWord(names: readonly string[]): string {
  return names.join(names.every((name) => name.length === 1) ? '' : '_');
}

/** @param open the indices of the loops that are open: they tell elements of one tensor apart */
export function nameOfValue(node: Expression, open: { has(index: string): boolean }): string {
  if (node.kind === 'read') {
    const plain = node.at
      .map((index) => isPlainIndex(index))
      .filter((name): name is string => name !== undefined && open.has(name));
    return plain.length === 0 ? `${node.tensor}_value` : `${node.tensor}_${indexWord(plain)}`;
  }
  const made = compound(node);
  if (made !== undefined && made.length <= longestName) return made;
  if (node.kind === 'unary' || node.kind === 'binary') return operationNames[node.operator] ?? node.operator;
  return node.kind === 'select' ? 'chosen' : 'value';
}

function compound(node: Expression): string | undefined {
  if (node.kind === 'unary') {
    const operand = simple(node.operand);
    return operand && `${operationNames[node.operator] === 'negative' ? 'minus' : node.operator}_${operand}`;
  }
  if (node.kind !== 'binary') return undefined;
  const left = simple(node.left);
  if (node.operator === 'power' && node.right.kind === 'constant') {
    const exponent = powerNames[node.right.value];
    return left && exponent && `${left}_${exponent}`;
  }
  const right = simple(node.right);
  const infix = infixNames[node.operator];
  return left && right && infix && `${left}_${infix}_${right}`;
}

function simple(node: Expression): string | undefined {
  if (node.kind === 'read') return node.tensor;
  if (node.kind === 'index_value') return isPlainIndex(node.index);
  return node.kind === 'constant' ? numberNames[node.value] : undefined;
}
