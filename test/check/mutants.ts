/** Faults, made mechanically of what a rule says: a sign, a factor, a term, an operand, an index, one at a time. */
import {
  add,
  constant,
  constantIndex,
  addIndex,
  divide,
  multiply,
  negate,
  scaleIndex,
  select,
  subtract,
  zero,
} from '../../compiler/graph/expressions.ts';
import type { Expression, IndexExpression } from '../../compiler/graph/types.ts';

export interface Mutant<T> {
  readonly fault: string;
  readonly made: T;
}

const two = constant(2);

/**
 * All faults of one place each, the root included.
 * @param given what a rule was given: nothing inside of it is the rule's
 */
export function faultsOf(root: Expression, given: ReadonlySet<Expression> = new Set()): Mutant<Expression>[] {
  return [
    { fault: 'doubled', made: multiply(two, root) },
    { fault: 'missing', made: zero },
    ...inside(root, given),
  ];
}

function inside(node: Expression, given: ReadonlySet<Expression>): Mutant<Expression>[] {
  const own: Mutant<Expression>[] = [{ fault: `sign of ${node.kind}`, made: negate(node) }];
  const deep = (
    child: Expression,
    where: string,
    put: (made: Expression) => Expression,
  ): Mutant<Expression>[] =>
    inside(child, given).map(({ fault, made }) => ({ fault: `${where}: ${fault}`, made: put(made) }));
  if (given.has(node)) return own;
  switch (node.kind) {
    case 'constant':
      return [...own, { fault: `${node.value} plus 1`, made: constant(node.value + 1) }];
    case 'unary':
      return [
        ...own,
        { fault: `${node.operator} left out`, made: node.operand },
        ...deep(node.operand, node.operator, (operand) => ({ ...node, operand })),
      ];
    case 'binary': {
      const { left, right, operator } = node;
      const swapped: Expression = { ...node, left: right, right: left };
      return [
        ...own,
        { fault: `${operator}: left alone`, made: left },
        { fault: `${operator}: right alone`, made: right },
        { fault: `${operator} swapped`, made: swapped },
        ...(operator === 'add' ? [{ fault: 'minus for plus', made: subtract(left, right) }] : []),
        ...(operator === 'subtract' ? [{ fault: 'plus for minus', made: add(left, right) }] : []),
        ...(operator === 'multiply' ? [{ fault: 'quotient for product', made: divide(left, right) }] : []),
        ...(operator === 'divide' ? [{ fault: 'product for quotient', made: multiply(left, right) }] : []),
        ...deep(left, `${operator} left`, (made) => ({ ...node, left: made })),
        ...deep(right, `${operator} right`, (made) => ({ ...node, right: made })),
      ];
    }
    case 'select': {
      const { condition, then, otherwise } = node;
      return [
        ...own,
        { fault: 'branches swapped', made: select(condition, otherwise, then) },
        { fault: 'first branch always', made: then },
        { fault: 'last branch always', made: otherwise },
        ...deep(condition, 'condition', (made) => ({ ...node, condition: made })),
        ...deep(then, 'then', (made) => ({ ...node, then: made })),
        ...deep(otherwise, 'otherwise', (made) => ({ ...node, otherwise: made })),
      ];
    }
    case 'read':
      return [...own, ...readFaults(node)];
    case 'index_value':
      return [
        ...own,
        ...placeFaults([node.index]).map(({ fault, made: [index = node.index] }) => ({
          fault,
          made: { ...node, index },
        })),
      ];
    case 'extent_value':
    case 'accumulated':
    case 'call':
    case 'derivative':
      return own;
  }
}

function readFaults(node: Extract<Expression, { kind: 'read' }>): Mutant<Expression>[] {
  const places = placeFaults(node.at).map(({ fault, made }) => ({
    fault: `${node.tensor} read at ${fault}`,
    // where there is no such place, whatever is there counts
    made: { ...node, at: made, outside: node.outside ?? 0 },
  }));
  return node.outside === undefined
    ? places
    : [...places, { fault: `${node.tensor} is 1 outside`, made: { ...node, outside: node.outside + 1 } }];
}

/** One index moved by one, mirrored, or two of them exchanged. */
export function placeFaults(at: readonly IndexExpression[]): Mutant<IndexExpression[]>[] {
  const faults: Mutant<IndexExpression[]>[] = [];
  for (const [axis, index] of at.entries()) {
    const put = (made: IndexExpression): IndexExpression[] => at.with(axis, made);
    faults.push({ fault: `axis ${axis} plus 1`, made: put(addIndex(index, constantIndex(1))) });
    if (index.constant !== 0)
      faults.push({ fault: `axis ${axis} without its constant`, made: put({ ...index, constant: 0 }) });
    if (index.terms.length > 1)
      faults.push({
        fault: `axis ${axis} without its last term`,
        made: put({ ...index, terms: index.terms.slice(0, -1) }),
      });
    if (index.terms.some(({ coefficient }) => coefficient !== 1))
      faults.push({ fault: `axis ${axis} mirrored`, made: put(scaleIndex(index, -1)) });
    const next = at[axis + 1];
    if (next !== undefined)
      faults.push({
        fault: `axes ${axis} and ${axis + 1} exchanged`,
        made: at.with(axis, next).with(axis + 1, index),
      });
  }
  return faults;
}
