/** What stands in front of a printed model: the functions that it calls which have derivatives of their own. */
import { constant, mapExpression } from './expressions.ts';
import { ownFunctionsIn } from './own-functions.ts';
import { printExpression } from './print-expression.ts';
import type { Expression, OwnFunction, Program } from './types.ts';

/** `fn f(x) = ...` and `derivative f(x) = ...` for each function that the statements call, and an empty line. */
export function ownFunctionLines({ statements }: Pick<Program, 'statements'>): string[] {
  const lines = ownFunctionsIn(statements.map(({ body }) => body)).flatMap((own) => {
    const head = `${own.name}(${own.parameters.join(', ')})`;
    const partials = own.partials().map((partial) => printIn(own, partial));
    return [`fn ${head} = ${printIn(own, own.value)}`, `derivative ${head} = ${partials.join(', ')}`];
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

/** A constant that is called as a parameter, `e`, is printed as a number. */
function printIn({ parameters }: OwnFunction, expression: Expression): string {
  const plain = mapExpression(expression, (node) =>
    node.kind === 'constant' && node.name !== undefined && parameters.includes(node.name.replace('-', ''))
      ? constant(node.value)
      : node,
  );
  return printExpression(plain, { standalone: true });
}
