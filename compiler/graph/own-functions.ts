/**
 * Functions with a derivative of their own. Their calls are operators while a program is differentiated; before it becomes
 * loops, each call is replaced by the function's value.
 */
import { mapExpression, postorder } from './expressions.ts';
import type { Expression, OwnCall, OwnFunction, Program } from './types.ts';

/** An expression of a function's definition, with operands in the place of its parameters. */
export function withOperands(
  definition: Expression,
  { parameters }: OwnFunction,
  operands: readonly Expression[],
): Expression {
  const values = new Map(parameters.map((name, place) => [name, operands[place]]));
  return mapExpression(definition, (node) =>
    node.kind === 'read' ? (values.get(node.tensor) ?? node) : node,
  );
}

/** The value of a call; calls inside of it stay. */
export function valueOfCall({ callee, operands }: OwnCall): Expression {
  return withOperands(callee.value, callee, operands);
}

/** The expression without calls. */
export function expandCalls(root: Expression): Expression {
  if (!postorder(root).some(({ kind }) => kind === 'call')) return root;
  return mapExpression(root, (node) =>
    node.kind === 'call' ? withOperands(expandCalls(node.callee.value), node.callee, node.operands) : node,
  );
}

/** The program with the values of functions in the place of their calls: for programs that nothing differentiates further. */
export function expandProgram(program: Program): Program {
  let changed = false;
  const statements = program.statements.map((statement) => {
    const body = expandCalls(statement.body);
    if (body === statement.body) return statement;
    changed = true;
    return { ...statement, body };
  });
  return changed ? { ...program, statements } : program;
}

/** The functions that expressions call, and those that these call in turn. */
export function ownFunctionsIn(roots: Iterable<Expression>): OwnFunction[] {
  const found = new Map<string, OwnFunction>();
  const look = (root: Expression): void => {
    for (const node of postorder(root)) {
      if (node.kind !== 'call' || found.has(node.callee.name)) continue;
      found.set(node.callee.name, node.callee);
      look(node.callee.value);
      node.callee.partials().forEach(look);
    }
  };
  for (const root of roots) look(root);
  return [...found.values()];
}
