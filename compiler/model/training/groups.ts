/** Which parameters are trained, and by which entry. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Name } from '../../syntax/tree.ts';
import type { OptimizerEntry } from './entries.ts';
import { knownNames } from './hints.ts';

/** True if `name` fits `pattern`, in which `*` stands for any run of characters. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const [head = '', ...rest] = parts;
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  if (!name.startsWith(head)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
}

/** The parameters that one of the names or patterns fits, in order of declaration. Reports E201 for one that fits none. */
export function parametersFor(
  patterns: readonly Name[],
  parameters: readonly string[],
  diagnostics: Diagnostics,
): string[] {
  for (const { text, span } of patterns) {
    if (parameters.some((name) => matches(text, name))) continue;
    const message = text.includes('*')
      ? `no parameter fits the pattern \`${text}\``
      : `there is no parameter \`${text}\``;
    diagnostics.error('E201', span, message, knownNames(text, parameters));
  }
  return parameters.filter((name) => patterns.some((pattern) => matches(pattern.text, name)));
}

/**
 * The parameters of each entry: those it names, or for the one without names all the others. Frozen ones are left out.
 * Reports E202 for a parameter that two entries name and E210 for one that is left without an optimizer.
 */
export function assignParameters(
  entries: readonly OptimizerEntry[],
  parameters: readonly string[],
  frozen: ReadonlySet<string>,
  diagnostics: Diagnostics,
): ReadonlyMap<OptimizerEntry, readonly string[]> {
  const owner = new Map<string, OptimizerEntry>();
  for (const entry of entries) {
    if (entry.targets === undefined) continue;
    for (const name of parametersFor(entry.targets, parameters, diagnostics)) {
      const other = owner.get(name);
      if (other === undefined) owner.set(name, entry);
      else {
        diagnostics.error('E202', entry.span, `\`${name}\` is given two optimizers`, {
          notes: [{ span: other.span, message: 'first here' }],
        });
      }
    }
  }
  const common = entries.find((entry) => entry.targets === undefined);
  const trained = parameters.filter((name) => !frozen.has(name));
  const assigned = new Map<OptimizerEntry, string[]>();
  const left: string[] = [];
  for (const name of trained) {
    const entry = owner.get(name) ?? common;
    if (entry === undefined) left.push(name);
    else assigned.set(entry, [...(assigned.get(entry) ?? []), name]);
  }
  const last = entries.at(-1);
  if (left.length > 0 && last !== undefined) {
    diagnostics.error('E210', last.span, `no optimizer for ${left.map((name) => `\`${name}\``).join(', ')}`, {
      hint: 'add `optimizer: adam(rate = 1e-3)` for all that no other entry names, or `freeze` them',
    });
  }
  return assigned;
}
