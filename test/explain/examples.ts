/** The examples, explained. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadImport } from '../../compiler/cli/files.ts';
import { explain, type Explanation } from '../../compiler/explain/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `NAME.dsl` of every folder of the examples. */
export const exampleFiles: readonly string[] = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(join(root, 'examples', name)).map((file) => `examples/${name}/${file}`))
  .filter((path) => path.endsWith('.dsl'))
  .toSorted();

const known = new Map<string, Promise<readonly Explanation[]>>();

/** The models of a file of the examples; they have no mistakes. */
export function explained(path: string): Promise<readonly Explanation[]> {
  const found = known.get(path) ?? explainText(readFileSync(join(root, path), 'utf8'), join(root, path));
  known.set(path, found);
  return found;
}

export async function explainText(text: string, path = 'model.dsl'): Promise<readonly Explanation[]> {
  const { diagnostics, explanations } = await explain({ path, text }, { load: loadImport });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  return explanations;
}

export async function only(path: string): Promise<Explanation> {
  const [explanation] = await explained(path);
  if (explanation === undefined) throw new Error(`${path} has no model`);
  return explanation;
}
