/** @file The gradient of a program as a program of the same language. */
import { withoutPrimes } from '../graph/expressions.ts';
import { printProgram } from '../graph/print.ts';
import type { Program } from '../graph/types.ts';
import { wrapped } from '../graph/wrap.ts';

/**
 * The whole program, forward and backward, each line with the place that it comes from. It can be read, compiled, and
 * differentiated again; the gradients of the parameters are outputs.
 */
export function emitGradient(program: Program): string {
  return `${heading(program).join('\n')}\n${printProgram(program, { places: true, nested: true })}`;
}

function heading({ name, loss, gradients }: Program): string[] {
  const [first] = gradients;
  if (loss === undefined) return [`// ${name} has no loss, so that there is no gradient.`];
  if (first === undefined) return [`// ${name}: its ${loss} is not trained, so that there is no gradient.`];
  const [parameter, gradient] = first;
  const others = [...gradients].filter(([of, its]) => its !== `d${withoutPrimes(of)}`);
  return [
    `// ${name} and the gradient of its ${loss} by each parameter: ${gradient} is that by ${parameter}${gradients.size > 1 ? ', and so on' : ''}.`,
    ...others.flatMap(([of, its]) => (of === parameter ? [] : wrapped(`//   ${its} is that by ${of}`))),
  ];
}
