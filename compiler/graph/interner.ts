/** Structural equality of expression DAGs in linear time: equal structures get equal small numbers. */
import { children, postorder } from './expressions.ts';
import { indexKey } from './index-expressions.ts';
import type { Expression } from './types.ts';

/**
 * Numbers structures from 0 in the order in which they are first met. How a constant was written (its name) does not
 * count; 0 and -0 differ.
 */
export class Interner {
  private readonly idOfKey = new Map<string, number>();
  private readonly idOfNode = new WeakMap<Expression, number>();
  private readonly representatives: Expression[] = [];

  /** Equal for two expressions just if they have the same structure. */
  idOf(root: Expression): number {
    const known = this.idOfNode.get(root);
    if (known !== undefined) return known;
    let id = -1;
    for (const node of postorder(root)) id = this.idOfNode.get(node) ?? this.intern(node);
    return id;
  }

  /** The first expression of this structure that was met. */
  representative(expression: Expression): Expression {
    return this.representatives[this.idOf(expression)] ?? expression;
  }

  /** The first expression that was given this number. */
  nodeOf(id: number): Expression | undefined {
    return this.representatives[id];
  }

  /** The keys of all structures so far, in the order of their numbers. */
  get structures(): readonly string[] {
    return [...this.idOfKey.keys()];
  }

  private intern(node: Expression): number {
    const key = this.keyOf(node);
    let id = this.idOfKey.get(key);
    if (id === undefined) {
      id = this.representatives.length;
      this.idOfKey.set(key, id);
      this.representatives.push(node);
    }
    this.idOfNode.set(node, id);
    return id;
  }

  private keyOf(node: Expression): string {
    const operands = children(node).map((child) => this.idOfNode.get(child));
    switch (node.kind) {
      case 'constant':
        return Object.is(node.value, -0) ? '-0' : String(node.value);
      case 'index_value':
        return `index ${indexKey(node.index)}`;
      case 'extent_value':
        return `extent ${node.extent}`;
      case 'read': {
        const outside = node.outside === undefined ? '' : ` else ${node.outside}`;
        return `${node.tensor}[${node.at.map(indexKey).join(',')}]${outside}`;
      }
      case 'unary':
      case 'binary':
        return `${node.operator}(${operands.join(',')})`;
      case 'select':
        return `select(${operands.join(',')})`;
      case 'call':
        return `call ${node.callee.name}(${operands.join(',')})`;
      case 'derivative':
        return `derivative(${operands.join(',')}; ${node.by.length}, ${node.along?.length ?? 0})`;
      case 'accumulated':
        return 'accumulated';
    }
  }
}

/** A text equal for equal structures and only for those; its length is linear in the number of distinct structures. */
export function expressionKey(expression: Expression): string {
  const interner = new Interner();
  interner.idOf(expression);
  return interner.structures.join('; ');
}

/** True if both have the same structure, however their nodes are shared. */
export function equalExpressions(left: Expression, right: Expression): boolean {
  if (left === right) return true;
  const interner = new Interner();
  return interner.idOf(left) === interner.idOf(right);
}
