/**
 * Scalar expressions: constructors, traversal, substitution, questions. Expressions are immutable DAGs: every walk here
 * visits a node once, however often it is shared, and uses no recursion.
 */
import {
  indexNames,
  isConstantIndex,
  isPlainIndex,
  mapAtoms,
  substituteInIndex,
  visitAtoms,
} from './index-expressions.ts';
import type {
  Accumulated,
  BinaryOperator,
  Constant,
  Expression,
  ExtentValue,
  IndexExpression,
  Read,
  Statement,
  UnaryOperator,
} from './types.ts';

export * from './index-expressions.ts';
export { Interner, equalExpressions, expressionKey } from './interner.ts';
export {
  binaryOperators,
  evaluateBinary,
  evaluateUnary,
  neutralElements,
  rangeOf,
  unaryOperators,
} from './operators.ts';

// ------------------------------------------------------------------------------------------------------- constructors

export function constant(value: number, name?: string): Constant {
  return { kind: 'constant', value, ...(name === undefined ? {} : { name }) };
}

export const zero: Constant = constant(0);
export const one: Constant = constant(1);
/** In a `finish`: the combined value. */
export const accumulated: Accumulated = { kind: 'accumulated' };

export function read(tensor: string, at: readonly IndexExpression[] = [], outside?: number): Read {
  return { kind: 'read', tensor, at, ...(outside === undefined ? {} : { outside }) };
}

/** An index as a number; a constant index is a constant. */
export function indexValue(index: IndexExpression): Expression {
  const value = isConstantIndex(index);
  return value === undefined ? { kind: 'index_value', index } : constant(value);
}

/** A size as a number; a fixed size is a constant. */
export function extentValue(extent: number | string): Constant | ExtentValue {
  return typeof extent === 'number' ? constant(extent) : { kind: 'extent_value', extent };
}

export function unary(operator: UnaryOperator, operand: Expression): Expression {
  return { kind: 'unary', operator, operand };
}

export function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator, left, right };
}

/** condition ? then : otherwise; a constant condition chooses at once. */
export function select(condition: Expression, then: Expression, otherwise: Expression): Expression {
  if (condition.kind === 'constant') return condition.value !== 0 ? then : otherwise;
  return { kind: 'select', condition, then, otherwise };
}

// The helpers below fold only neutral elements, which is exact for every operand; the rest is rewrite/simplify's work.

export function add(left: Expression, right: Expression): Expression {
  if (isConstant(left, 0)) return right;
  return isConstant(right, 0) ? left : binary('add', left, right);
}

export function subtract(left: Expression, right: Expression): Expression {
  if (isConstant(right, 0)) return left;
  return isConstant(left, 0) ? negate(right) : binary('subtract', left, right);
}

export function multiply(left: Expression, right: Expression): Expression {
  if (isConstant(left, 1)) return right;
  return isConstant(right, 1) ? left : binary('multiply', left, right);
}

export function divide(left: Expression, right: Expression): Expression {
  return isConstant(right, 1) ? left : binary('divide', left, right);
}

export function power(base: Expression, exponent: Expression): Expression {
  return isConstant(exponent, 1) ? base : binary('power', base, exponent);
}

export function negate(operand: Expression): Expression {
  if (operand.kind === 'constant' && operand.name === undefined) return constant(-operand.value);
  if (operand.kind === 'unary' && operand.operator === 'negate') return operand.operand;
  return unary('negate', operand);
}

// ---------------------------------------------------------------------------------------------------------- traversal

/** The operands of a node, in order. */
export function children(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'select':
      return [expression.condition, expression.then, expression.otherwise];
    case 'call':
      return expression.operands;
    case 'derivative':
      return [expression.of, ...expression.by, ...(expression.along ?? [])];
    default:
      return [];
  }
}

/** The same node over other operands; the very same object if none changed. */
export function withChildren(expression: Expression, operands: readonly Expression[]): Expression {
  const [first, second, third] = operands;
  switch (expression.kind) {
    case 'unary':
      return first === undefined || first === expression.operand
        ? expression
        : { ...expression, operand: first };
    case 'binary': {
      if (first === undefined || second === undefined) return expression;
      const same = first === expression.left && second === expression.right;
      return same ? expression : { ...expression, left: first, right: second };
    }
    case 'select': {
      if (first === undefined || second === undefined || third === undefined) return expression;
      const same =
        first === expression.condition && second === expression.then && third === expression.otherwise;
      return same ? expression : { ...expression, condition: first, then: second, otherwise: third };
    }
    case 'call': {
      const same = operands.every((operand, place) => operand === expression.operands[place]);
      return same ? expression : { ...expression, operands };
    }
    case 'derivative': {
      const given = children(expression);
      if (operands.every((operand, place) => operand === given[place])) return expression;
      const [of, ...rest] = operands.map((operand) => {
        if (operand.kind !== 'read') throw new Error('a derivative is one of a tensor by tensors');
        return operand;
      });
      const by = rest.slice(0, expression.by.length);
      const along = expression.along === undefined ? {} : { along: rest.slice(by.length) };
      return of === undefined ? expression : { ...expression, of, by, ...along };
    }
    default:
      return expression;
  }
}

/** Every distinct node once, operands before the nodes that use them, left before right. */
export function postorder(root: Expression): Expression[] {
  const order: Expression[] = [];
  const entered = new Set<Expression>();
  const done = new Set<Expression>();
  const stack: Expression[] = [root];
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    if (!entered.has(node)) {
      entered.add(node);
      const operands = children(node);
      for (let k = operands.length - 1; k >= 0; k--) stack.push(operands[k]!);
      continue;
    }
    stack.pop();
    if (done.has(node)) continue;
    done.add(node);
    order.push(node);
  }
  return order;
}

/** Computes bottom-up: `combine` is given each distinct node once, with the results of its operands. */
export function foldExpression<T>(
  root: Expression,
  combine: (node: Expression, operands: readonly T[]) => T,
): T {
  const results = new Map<Expression, T>();
  const resultOf = (node: Expression): T => {
    // has: a result may be undefined
    if (!results.has(node)) throw new Error('an operand must be visited before its user');
    return results.get(node) as T;
  };
  for (const node of postorder(root)) results.set(node, combine(node, children(node).map(resultOf)));
  return resultOf(root);
}

/** Rewrites bottom-up: `rewrite` is given each distinct node once, its operands already rewritten. Sharing is kept. */
export function mapExpression(root: Expression, rewrite: (node: Expression) => Expression): Expression {
  return foldExpression<Expression>(root, (node, operands) => rewrite(withChildren(node, operands)));
}

/** Calls `visit` once for each distinct node, operands first. */
export function visitExpression(root: Expression, visit: (node: Expression) => void): void {
  for (const node of postorder(root)) visit(node);
}

/** Rewrites every index expression: those of reads and of index values. */
export function mapIndices(
  root: Expression,
  rewrite: (index: IndexExpression) => IndexExpression,
): Expression {
  const results = new Map<IndexExpression, IndexExpression>();
  const rewritten = (index: IndexExpression): IndexExpression => {
    const result = results.get(index) ?? rewrite(index);
    results.set(index, result);
    return result;
  };
  return mapExpression(root, (node) => {
    if (node.kind === 'index_value') {
      const index = rewritten(node.index);
      return index === node.index ? node : indexValue(index);
    }
    if (node.kind !== 'read') return node;
    const at = node.at.map(rewritten);
    return at.every((index, axis) => index === node.at[axis]) ? node : { ...node, at };
  });
}

// ------------------------------------------------------------------------------------------------------- substitution

/** Replaces loop indices, all at once, in an expression or in an index expression. */
export function substituteIndices(
  expression: IndexExpression,
  replacements: ReadonlyMap<string, IndexExpression>,
): IndexExpression;
export function substituteIndices(
  expression: Expression,
  replacements: ReadonlyMap<string, IndexExpression>,
): Expression;
export function substituteIndices(
  expression: Expression | IndexExpression,
  replacements: ReadonlyMap<string, IndexExpression>,
): Expression | IndexExpression {
  if (!('kind' in expression)) return substituteInIndex(expression, replacements);
  return mapIndices(expression, (index) => substituteInIndex(index, replacements));
}

/** Reads and fetches other tensors under the same indices; names that the map does not have stay. */
export function renameTensors(root: Expression, names: ReadonlyMap<string, string>): Expression {
  const renamed = mapIndices(root, (index) => renameFetches(index, names));
  return mapExpression(renamed, (node) => {
    const tensor = node.kind === 'read' ? names.get(node.tensor) : undefined;
    return node.kind === 'read' && tensor !== undefined ? { ...node, tensor } : node;
  });
}

/** The same for an index expression: only its fetches. */
export function renameFetches(index: IndexExpression, names: ReadonlyMap<string, string>): IndexExpression {
  return mapAtoms(index, (atom) => {
    const tensor = atom.kind === 'fetch' ? names.get(atom.tensor) : undefined;
    if (atom.kind !== 'fetch' || tensor === undefined) return undefined;
    return { terms: [{ coefficient: 1, atom: { ...atom, tensor } }], constant: 0 };
  });
}

/** Replaces every Accumulated: a `finish` put around a body. */
export function replaceAccumulated(finish: Expression, value: Expression): Expression {
  return mapExpression(finish, (node) => (node.kind === 'accumulated' ? value : node));
}

// ---------------------------------------------------------------------------------------------------------- questions

/** True for a constant; with `value`, for just that one (0 counts as -0). */
export function isConstant(expression: Expression, value?: number): expression is Constant {
  return expression.kind === 'constant' && (value === undefined || expression.value === value);
}

/** The index expressions that stand in an expression, each distinct object once. */
export function indicesIn(root: Expression): Set<IndexExpression> {
  const found = new Set<IndexExpression>();
  visitExpression(root, (node) => {
    if (node.kind === 'index_value') found.add(node.index);
    if (node.kind === 'read') for (const index of node.at) found.add(index);
  });
  return found;
}

/** The loop indices that occur anywhere, also inside fetches, in the order of first occurrence. */
export function freeIndices(root: Expression): Set<string> {
  const names = new Set<string>();
  for (const index of indicesIn(root)) for (const name of indexNames(index)) names.add(name);
  return names;
}

/** The distinct Read nodes (by identity), in order. Fetches are not among them: see `fetchedTensors`. */
export function reads(root: Expression): Read[] {
  return postorder(root).filter((node) => node.kind === 'read');
}

/** The integer tensors whose values are used inside index expressions. */
export function fetchedTensors(expression: Expression | IndexExpression): Set<string> {
  const tensors = new Set<string>();
  for (const index of 'kind' in expression ? indicesIn(expression) : [expression]) {
    visitAtoms(index, (atom) => {
      if (atom.kind === 'fetch') tensors.add(atom.tensor);
    });
  }
  return tensors;
}

/** Every tensor an expression depends on: read or fetched. */
export function tensorsIn(root: Expression): Set<string> {
  const tensors = new Set(reads(root).map((node) => node.tensor));
  for (const name of fetchedTensors(root)) tensors.add(name);
  return tensors;
}

/** The tensors by which derivatives are asked for. */
export function differentiatedBy(statements: readonly Statement[]): Set<string> {
  return new Set(
    statements.flatMap(({ body }) => (body.kind === 'derivative' ? body.by.map(({ tensor }) => tensor) : [])),
  );
}

const readTensors = new WeakMap<Statement, ReadonlySet<string>>();

/** Every tensor a statement depends on: in its body, its finish and its write map. */
export function tensorsReadBy(statement: Statement): ReadonlySet<string> {
  const known = readTensors.get(statement);
  if (known !== undefined) return known;
  const tensors = tensorsIn(statement.body);
  if (statement.finish) for (const name of tensorsIn(statement.finish)) tensors.add(name);
  for (const index of statement.write) for (const name of fetchedTensors(index)) tensors.add(name);
  readTensors.set(statement, tensors);
  return tensors;
}

/** True unless the statement writes `T[i0, i1, ...]` with its first indices in order. */
export function isScatter(statement: Statement): boolean {
  return statement.write.some((index, axis) => {
    const name = statement.indices[axis]?.name;
    return name === undefined || isPlainIndex(index) !== name;
  });
}

/** The loop indices that do not occur in the write map: those that ⊕ runs over. */
export function reducedIndices(statement: Statement): Statement['indices'] {
  const written = new Set(statement.write.flatMap((index) => [...indexNames(index)]));
  return statement.indices.filter((index) => !written.has(index.name));
}

/** For names made of others: a prime is for the next value of a state, so what is made of `m'` is called after `m_next`. */
export function withoutPrimes(name: string): string {
  return name.replaceAll("'", '_next');
}

/** `base`, or `base2`, `base3`, ...: the first that is not taken (after a digit: `base_2`). */
export function freshName(base: string, taken: { has(name: string): boolean }): string {
  if (!taken.has(base)) return base;
  const stem = /\d$/.test(base) ? `${base}_` : base;
  let number = 2;
  while (taken.has(`${stem}${number}`)) number++;
  return `${stem}${number}`;
}
