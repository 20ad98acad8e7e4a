/** What is committed under generated/ is what the compiler makes of the examples today. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadImport } from '../../compiler/cli/files.ts';
import { compile } from '../../compiler/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = readdirSync(`${root}/examples`).flatMap((folder) =>
  readdirSync(`${root}/examples/${folder}`)
    .filter((file) => file.endsWith('.dsl'))
    .map((file) => ({ name: file.replace('.dsl', ''), path: `${root}/examples/${folder}/${file}` })),
);

/** The text of each module that comes of a file, by its name: of a single model the file's, of several both names. */
async function compiled(
  { name, path }: { name: string; path: string },
  inference = false,
): Promise<[string, string][]> {
  const { modules } = await compile(
    { path, text: readFileSync(path, 'utf8') },
    { inference, load: loadImport },
  );
  const end = inference ? 'inference.ts' : 'ts';
  return modules.map((module) => [
    modules.length === 1 ? `${name}.${end}` : `${name}.${module.name}.${end}`,
    module.text,
  ]);
}

const compressed = files.filter(({ name }) => name === 'digits' || name === 'lenet');
const modules = (
  await Promise.all([
    ...files.map((file) => compiled(file)),
    ...compressed.map((file) => compiled(file, true)),
  ])
).flat();

it.each(modules)('generated/%s is fresh', (name, text) => {
  expect(text).toBe(readFileSync(`${root}/generated/${name}`, 'utf8'));
});

it('nothing else is there', () => {
  expect(readdirSync(`${root}/generated`).toSorted()).toEqual(modules.map(([name]) => name).toSorted());
});
