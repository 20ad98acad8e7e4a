/** Functions with a derivative of their own, their definitions rewritten as expressions in statements are. */
import { Interner, mapExpression } from '../graph/expressions.ts';
import { ownFunctionsIn } from '../graph/own-functions.ts';
import type { Expression, OwnFunction, Tensor } from '../graph/types.ts';
import { Definitions, fitsHole } from './definitions.ts';
import { rewriteAll } from './matching.ts';
import type { Surroundings } from './matching.ts';
import type { Rule } from './patterns.ts';

const none = new Definitions(new Map());
const noTensors: ReadonlyMap<string, Tensor> = new Map();

/**
 * The expression with calls of functions whose value and partial derivatives have been rewritten by the rules; the very same
 * if none applies. Their parameters may be any numbers.
 */
export function rewriteFunctions(root: Expression, rules: readonly Rule[]): Expression {
  const functions = ownFunctionsIn([root]);
  if (functions.length === 0) return root;
  const around: Surroundings = {
    interner: new Interner(),
    fits: (kind, node) => fitsHole(kind, node, noTensors, none),
  };
  const rewritten = new Map<string, OwnFunction>();
  const inCalls = (expression: Expression): Expression =>
    mapExpression(expression, (node) => {
      const callee = node.kind === 'call' ? rewritten.get(node.callee.name) : undefined;
      return node.kind === 'call' && callee !== undefined ? { ...node, callee } : node;
    });
  let changed = false;
  const take = (expression: Expression): Expression => {
    const result = rewriteAll(expression, rules, around);
    changed ||= result !== expression;
    return result;
  };
  for (const own of functions) {
    const value = take(own.value);
    const partials = own.partials().map(take);
    let linked: readonly Expression[] | undefined;
    rewritten.set(own.name, {
      ...own,
      get value() {
        return inCalls(value);
      },
      partials: () => (linked ??= partials.map(inCalls)),
    });
  }
  return changed ? inCalls(root) : root;
}
