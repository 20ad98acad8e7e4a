/** What is committed under generated/ is what the compiler makes of the examples today. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compile } from '../../compiler/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const models = readdirSync(`${root}/examples`).flatMap((folder) =>
  readdirSync(`${root}/examples/${folder}`)
    .filter((file) => file.endsWith('.dsl'))
    .map((file) => ({ name: file.replace('.dsl', ''), path: `${root}/examples/${folder}/${file}` })),
);

it.each(models)('generated/$name.ts is fresh', async ({ name, path }) => {
  const { modules } = await compile({ path, text: readFileSync(path, 'utf8') });
  expect(modules[0]?.text).toBe(readFileSync(`${root}/generated/${name}.ts`, 'utf8'));
});

it('nothing else is there', () => {
  expect(readdirSync(`${root}/generated`).toSorted()).toEqual(
    models.map(({ name }) => `${name}.ts`).toSorted(),
  );
});
