/** Which layers a statement calls, for the names of their instances. */
import type { SyntaxExpression } from '../syntax/tree.ts';
import type { Scope } from './scope.ts';

/**
 * Layer -> the number of its calls, 2 standing for many; those in fns count too. A fn is looked into at most twice, so
 * this is linear in the size of the text.
 */
export function countLayerCalls(root: SyntaxExpression, scope: Scope): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const visits = new Map<object, number>();
  const stack: { readonly syntax: SyntaxExpression; readonly scope: Scope }[] = [{ syntax: root, scope }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { syntax, scope: where } = top;
    for (const child of childrenOf(syntax)) stack.push({ syntax: child, scope: where });
    if (syntax.kind !== 'call') continue;
    const entry = where.lookupCallable(syntax.callee.text);
    if (entry === undefined) continue;
    const { definition } = entry;
    const visited = visits.get(definition) ?? 0;
    if (visited >= 2) continue;
    visits.set(definition, visited + 1);
    if (definition.kind === 'layer') counts.set(definition.name.text, visited + 1);
    if (definition.kind !== 'fn') continue;
    for (const value of [definition.value, ...definition.locals.map((local) => local.value)])
      stack.push({ syntax: value, scope: entry.scope });
  }
  return counts;
}

export function childrenOf(syntax: SyntaxExpression): readonly SyntaxExpression[] {
  switch (syntax.kind) {
    case 'read':
      return [syntax.tensor, ...syntax.indices];
    case 'call':
      return syntax.arguments.map(({ value }) => value);
    case 'unary':
      return [syntax.operand];
    case 'binary':
      return [syntax.left, syntax.right];
    case 'conditional':
      return [syntax.condition, syntax.then, syntax.otherwise];
    case 'list':
      return syntax.items;
    default:
      return [];
  }
}
