/** Which argument belongs to which parameter. */
import type { Span } from '../diagnostics/source.ts';
import { closest } from '../diagnostics/suggest.ts';
import type { Call, Parameter, SyntaxExpression } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';

export interface Matched {
  readonly parameter: Parameter;
  readonly value: SyntaxExpression;
  /** True if it is the parameter's default, to be read in the definition's scope. */
  readonly isDefault: boolean;
}

/**
 * One argument for each parameter, in the order of the parameters: given in order or by name, or the default. Reports E205
 * for what does not fit, and gives undefined.
 */
export function matchArguments(
  call: Call,
  parameters: readonly Parameter[],
  declared: Span,
  elaboration: Elaboration,
): Matched[] | undefined {
  const callee = call.callee.text;
  const given = new Map<string, SyntaxExpression>();
  let sound = true;
  const fail = (span: Span, message: string, hint?: string) => {
    elaboration.error('E205', span, message, {
      notes: [{ span: declared, message: `\`${callee}\` is defined here` }],
      hint,
    });
    sound = false;
  };
  let named = false;
  for (const [place, { name, value }] of call.arguments.entries()) {
    const parameter = name
      ? parameters.find((candidate) => candidate.name.text === name.text)
      : parameters[place];
    const span = name?.span ?? value.span;
    if (name) named = true;
    else if (named) {
      fail(span, 'an argument without a name cannot follow one with a name');
      continue;
    }
    if (parameter === undefined && name) {
      const meant = closest(
        name.text,
        parameters.map((candidate) => candidate.name.text),
      );
      const known = parameters.map((candidate) => `\`${candidate.name.text}\``).join(', ');
      fail(
        span,
        `\`${callee}\` has no parameter \`${name.text}\``,
        meant ? `did you mean \`${meant}\`?` : `it has ${known}`,
      );
    } else if (parameter === undefined) {
      const count = parameters.length;
      fail(
        span,
        `\`${callee}\` takes ${count} ${count === 1 ? 'argument' : 'arguments'}, but has ${call.arguments.length} here`,
      );
    } else if (given.has(parameter.name.text)) {
      fail(span, `\`${parameter.name.text}\` is given twice`);
    } else {
      given.set(parameter.name.text, value);
    }
  }
  if (!sound) return undefined;
  const matched: Matched[] = [];
  for (const parameter of parameters) {
    const name = parameter.name.text;
    const value = given.get(name);
    if (value !== undefined) matched.push({ parameter, value, isDefault: false });
    else if (parameter.default) matched.push({ parameter, value: parameter.default, isDefault: true });
    else fail(call.span, `\`${callee}\` needs \`${name}\`, which has no default`);
  }
  return sound ? matched : undefined;
}
