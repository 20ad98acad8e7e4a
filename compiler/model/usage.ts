/** What nothing uses: E601 for parameters that the loss does not depend on, W701 for other definitions. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { tensorsReadBy } from '../graph/expressions.ts';
import type { Program, Role } from '../graph/types.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';

/** E601 for every trained parameter from which no chain of reads leads to the loss. */
export function reportUnreached(program: Program, elaboration: Elaboration): void {
  if (program.loss === undefined) return;
  const statements = new Map(program.statements.map((statement) => [statement.target, statement]));
  const reached = new Set([program.loss]);
  for (const name of reached) {
    const statement = statements.get(name);
    if (statement) for (const source of tensorsReadBy(statement)) reached.add(source);
  }
  const parameters = [...program.tensors.values()].filter(
    ({ role, frozen }) => role === 'parameter' && !frozen,
  );
  const known = parameters.filter(({ name }) => reached.has(name)).map(({ name }) => name);
  for (const { name, span } of parameters) {
    if (reached.has(name)) continue;
    const readers = program.statements.filter((statement) => tensorsReadBy(statement).has(name));
    const does =
      known.length > 0 ? `; the loss depends on ${known.map((name) => `\`${name}\``).join(', ')}` : '';
    elaboration.error(
      'E601',
      span,
      `the loss does not depend on \`${name}\`, so it cannot be trained${does}`,
      {
        notes: readers.slice(0, 1).map(({ target, origin }) => ({
          span: origin.span,
          message: `\`${name}\` is only used for \`${target}\``,
        })),
        hint: `use it, remove it, or freeze it: \`train { freeze: [${name}] }\``,
      },
    );
  }
}

const nouns: Readonly<Record<'size' | Exclude<Role, 'parameter' | 'scalar'>, string>> = {
  size: 'dim',
  input: 'input',
  state: 'state',
  random: 'random tensor',
  intermediate: 'tensor',
};

/** W701 for inputs, statements and dims of a model that nothing reads, in none of its variants. */
export function warnUnused([scope, ...others]: readonly Scope[], diagnostics: Diagnostics): void {
  for (const [name, entry] of scope?.ownValues() ?? []) {
    const isUsed = entry.used || others.some((other) => other.own(name)?.used);
    if (isUsed || (entry.kind !== 'tensor' && entry.kind !== 'size')) continue;
    // of parameters E601 tells
    const what = entry.kind === 'size' ? 'size' : entry.tensor.role;
    if (what === 'parameter' || what === 'scalar') continue;
    const noun = nouns[what];
    diagnostics.warning('W701', entry.span, `${noun} \`${name}\` is never used`, {
      hint: noun === 'tensor' ? `remove it, or make it an output: \`output ${name}\`` : 'remove it',
    });
  }
}

/** W701 for fns and layers of a file that nothing calls. */
export function warnUncalled(scope: Scope, diagnostics: Diagnostics): void {
  for (const [name, entry] of scope.ownCallables()) {
    const { kind } = entry.definition;
    if (entry.used || (kind !== 'fn' && kind !== 'layer')) continue;
    diagnostics.warning('W701', entry.span, `${kind} \`${name}\` is never called`, { hint: 'remove it' });
  }
}
