/** docs/INFERENCE.md: its model compiles, its snippets run one after the other, its table names the options there are. */
import { transformSync } from 'esbuild';
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import * as formats from '../../runtime/formats/index.ts';
import * as runtime from '../../runtime/index.ts';
import { Random } from '../../runtime/random.ts';
import { moduleOf, predictorOf } from '../runtime/support.ts';

const text = readFileSync(new URL('../../docs/INFERENCE.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map((match) => match[1]!);

const IMPORT = /^import (\{[^}]*\}) from '([^']*)';$/gm;

it('the snippets run, and print what the page shows', async () => {
  const [model] = blocks('dsl');
  const modules: Readonly<Record<string, unknown>> = {
    './generated/flowers.js': await moduleOf(model!, 'f32'),
    './generated/flowers.inference.js': await predictorOf(model!, 'f32'),
    'chainrule/runtime': runtime,
    'chainrule/formats': formats,
  };
  const body = blocks('ts')
    .join('\n')
    .replaceAll(IMPORT, (_, names: string, from: string) => {
      expect(Object.keys(modules)).toContain(from);
      return `const ${names} = modules['${from}'];`;
    });
  const random = new Random(1, 'flowers');
  const label = Int32Array.from({ length: 120 }, () => random.integer(3));
  const x = Float32Array.from(
    { length: 480 },
    (_, i) => random.normal() + 2 * label[i >> 2]! * ((i % 4) - 1),
  );
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const script = `return (async () => {${body}\n return { trainer, p }; })()`;
  const wrapped = transformSync(`function run(modules, x, label) {${script}}`, { loader: 'ts' }).code;
  const run = new Function(`${wrapped}; return run;`)() as (
    ...given: readonly unknown[]
  ) => Promise<{ trainer: runtime.Trainer<object, object>; p: Float32Array }>;
  const { trainer, p } = await run(modules, x, label);
  const printed = log.mock.calls;
  log.mockRestore();
  expect(p).toHaveLength(360);
  expect(trainer.evaluate({ x, label })['accuracy']).toBeGreaterThan(0.9);
  expect(trainer.getWeights()['z_W']!.filter((value) => value === 0)).toHaveLength(Math.round(0.8 * 48));
  // dense 4·16 + 16, batch_norm 4·16, dense 16·3 + 3
  expect(printed[0]).toEqual([4 * (80 + 64 + 51), 4 * (16 + 64 + 3) + 64 + 48 + 4 * (16 + 3)]);
  expect(blocks('text').at(-1)).toBe(`${String(printed.at(-1)![0])}\n`);
});

it('the table names the options of MagnitudePruning', () => {
  const named = [...text.matchAll(/^\| `.*?\|/gm)].flatMap(([cell]) =>
    [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
  );
  const source = readFileSync(
    new URL('../../runtime/callbacks/magnitude-pruning.ts', import.meta.url),
    'utf8',
  );
  const declared = source.slice(source.indexOf('Options {'), source.indexOf('\n}\n'));
  expect(named).toEqual([...declared.matchAll(/readonly (\w+)/g)].map((match) => match[1]!));
});
