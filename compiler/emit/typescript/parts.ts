/**
 * @file A deep model has more tensors and calls than fit into one function that a person reads and an engine optimises.
 * Its lists of calls are then cut into parts: functions of the module that make the views which their calls use, once,
 * and give back the calls.
 *
 *     function forwardPart1({ batch, workspace, x }: Memory): (n: number) => void {
 *       const h1 = workspace.subarray(...);
 *       return (n) => {
 *         forward_h(x, h1, n);
 *       };
 *     }
 */

/** A line of `createProgram`: the constants that it declares, and its text. */
export interface Declaration {
  readonly names: readonly string[];
  readonly text: string;
}

/** A list of calls, and the parameters that it may use. */
export interface CallList {
  readonly method: string;
  readonly parameters: readonly (string | undefined)[];
  readonly lines: readonly string[];
}

/** What parts are handed in: an array or a number that exists once. */
export interface Shared {
  readonly name: string;
  readonly type: string;
}

/** Of text before prettier, which adds about a third to it: a part stays well under 16 KB. */
const longestPart = 9000;

/** More than this in `createProgram`, and it is cut. */
export const longestProgram = 11_000;

export interface Parts {
  /** The functions, for the module. */
  readonly functions: readonly string[];
  /** In `createProgram`: the parts of each list, in arrays. */
  readonly declarations: readonly string[];
  /** For each list, the line that runs its parts; a list of few calls stays as it is. */
  readonly bodies: ReadonlyMap<string, readonly string[]>;
}

/**
 * @param views what a part may declare for itself
 * @param shared what it must be given
 * @param fresh gives a name that the module does not have
 */
export function cutIntoParts(
  lists: readonly CallList[],
  views: readonly Declaration[],
  shared: readonly Shared[],
  fresh: (wish: string) => string,
): Parts {
  const viewOf = new Map(views.flatMap((view) => view.names.map((name) => [name, view] as const)));
  const functions: string[] = [];
  const declarations: string[] = [];
  const bodies = new Map<string, readonly string[]>();
  const made = new Map<string, string>();
  const memory = fresh('memory');
  const type = fresh('Memory');
  for (const list of lists) {
    const parts = chunks(list.lines, viewOf);
    if (parts.length === 0) continue;
    const all = parameterList(list.parameters, list.lines);
    const names = parts.map((part, k) => {
      // `predict` mostly begins as `forward` does
      const key = [all, ...part].join('\n');
      const known = made.get(key);
      if (known !== undefined) return known;
      const name = fresh(`${list.method}Part${k + 1}`);
      made.set(key, name);
      const own = [...viewsOf(part, viewOf)].map(({ text }) => text);
      const code = withoutStrings([...own, ...part].join('\n'));
      const given = shared.filter((each) => mentions(code, each.name)).map((each) => each.name);
      functions.push(
        [
          `/** \`${list.method}\`, part ${k + 1} of ${parts.length}: its arrays, and the calls that work on them. */`,
          `function ${name}(${given.length === 0 ? `_: ${type}` : `{ ${given.join(', ')} }: ${type}`}): (${all}) => void {`,
          ...own,
          ...(own.length > 0 ? [''] : []),
          `return (${parameterList(list.parameters, part)}): void => {`,
          ...part,
          '};',
          '}',
        ].join('\n'),
      );
      return name;
    });
    const variable = fresh(`${list.method}Parts`);
    declarations.push(`const ${variable} = [${names.map((name) => `${name}(${memory})`).join(', ')}];`);
    const passed = all.replaceAll(': number', '').replaceAll(/\b_/g, '');
    bodies.set(list.method, [`for (const part of ${variable}) part(${passed});`]);
  }
  if (functions.length === 0) return { functions, declarations, bodies };
  const used = shared.filter(({ name }) => functions.some((text) => mentions(headOf(text), name)));
  const fields = used.map(({ name, type: of }) => `  readonly ${name}: ${of};`);
  return {
    functions: [
      `/** What the parts of the program share. */\ninterface ${type} {\n${fields.join('\n')}\n}`,
      ...functions,
    ],
    declarations: [
      `const ${memory}: ${type} = { ${used.map(({ name }) => name).join(', ')} };`,
      ...declarations,
    ],
    bodies,
  };
}

/** A method takes a parameter only if it or a later one is used: `noUnusedParameters`. */
export function parameterList(parameters: readonly (string | undefined)[], lines: readonly string[]): string {
  const code = withoutStrings(lines.join('\n'));
  const isUsed = (parameter: string | undefined): boolean =>
    parameter !== undefined && mentions(code, parameter);
  const last = parameters.findLastIndex(isUsed);
  return parameters
    .slice(0, last + 1)
    .map((parameter) => (isUsed(parameter) ? parameter : `_${parameter ?? 'rows'}`))
    .map((parameter) => `${parameter}: number`)
    .join(', ');
}

/** As many lines as fit into a part with the views that they need. */
function chunks(lines: readonly string[], viewOf: ReadonlyMap<string, Declaration>): string[][] {
  const parts: string[][] = [];
  let views = new Set<Declaration>();
  let length = Infinity;
  for (const line of lines) {
    const needed = viewsOf([line], viewOf);
    const more = (known: ReadonlySet<Declaration>): number =>
      [...needed].reduce((sum, view) => sum + (known.has(view) ? 0 : view.text.length), line.length);
    if (length + more(views) > longestPart) {
      parts.push([]);
      views = new Set();
      length = 0;
    }
    length += more(views);
    for (const view of needed) views.add(view);
    parts.at(-1)?.push(line);
  }
  return parts;
}

function viewsOf(lines: readonly string[], viewOf: ReadonlyMap<string, Declaration>): Set<Declaration> {
  const names = lines.flatMap((line) => withoutStrings(line).match(/\w+/g) ?? []);
  return new Set(names.flatMap((name) => viewOf.get(name) ?? []));
}

/** What stands in quotes is no use of a name. */
const withoutStrings = (text: string): string => text.replaceAll(/"[^"]*"|'[^']*'/g, '""');

const headOf = (text: string): string => text.slice(0, text.indexOf('=> void {'));

const mentions = (text: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
