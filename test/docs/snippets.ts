/** The blocks of a page of Markdown, and programs of its TypeScript with modules that a test gives. */
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { Random } from '../../runtime/random.ts';

/** A page of docs/. */
export const pageOf = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** Its fenced blocks of a language, in order. */
export const blocksOf = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!);

/** What comments after `console.log` of some code say that it prints. */
export const promisedBy = (code: string): string[] =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, words]) => words!);

export interface Surroundings {
  /** What is imported, by the name that the code gives it. */
  readonly modules: Readonly<Record<string, object>>;
  /** What the code uses and does not make. */
  readonly given?: Readonly<Record<string, unknown>>;
  /** Names that it makes and a test looks at. */
  readonly wanted?: readonly string[];
}

export interface Ran<Made> {
  /** The arguments of every call of `console.log`. */
  readonly logged: readonly (readonly unknown[])[];
  readonly made: Made;
}

const IMPORT = /^import (type )?(\{[^}]*\}|\* as \w+) from '([^']*)';$/gm;

/** Runs code as a module. @throws what it throws, and where it imports what there is not */
export async function runSnippets<Made = unknown>(
  code: string,
  { modules, given = {}, wanted = [] }: Surroundings,
): Promise<Ran<Made>> {
  const body = code.replaceAll(IMPORT, (_, type: string | undefined, names: string, from: string) => {
    const module = modules[from];
    if (module === undefined) throw new Error(`the page imports ${from}, which this test does not know`);
    if (type !== undefined) return '';
    if (names.startsWith('* as')) return `const ${names.slice(5)} = modules['${from}'];`;
    for (const [name] of names.matchAll(/\w+/g))
      if (!(name in module)) throw new Error(`${from} has no '${name}'`);
    return `const ${names} = modules['${from}'];`;
  });
  const script = `async function run() {${body}\nreturn { ${wanted.join(', ')} }; }`;
  const { code: plain } = transformSync(script, { loader: 'ts' });
  const logged: unknown[][] = [];
  const log = (...values: unknown[]): void => void logged.push(values);
  const names = Object.keys(given);
  const run = new Function('modules', 'console', ...names, `${plain}; return run();`) as (
    ...values: unknown[]
  ) => Promise<Made>;
  const made = await run(modules, { ...console, log }, ...names.map((name) => given[name]));
  return { logged, made };
}

/** The data that pages speak of: 120 flowers of three kinds, four lengths of each. */
export function flowers(): { readonly x: Float32Array; readonly label: Int32Array } {
  const random = new Random(1, 'flowers');
  const label = Int32Array.from({ length: 120 }, () => random.integer(3));
  const x = Float32Array.from(
    { length: 480 },
    (_, i) => random.normal() + 2 * label[i >> 2]! * ((i % 4) - 1),
  );
  return { x, label };
}
