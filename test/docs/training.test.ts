/** docs/TRAINING.md: its model compiles, its snippets run one after the other, its tables name what there is. */
import { transformSync } from 'esbuild';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import * as node from '../../runtime/node/index.ts';
import * as report from '../../runtime/report/index.ts';
import * as runtime from '../../runtime/index.ts';
import { Random } from '../../runtime/random.ts';
import { moduleOf } from '../runtime/support.ts';

const text = readFileSync(new URL('../../docs/TRAINING.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map((match) => match[1]!);
const folder = mkdtempSync(join(tmpdir(), 'chainrule-training-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IMPORT = /^import (type )?(\{[^}]*\}) from '([^']*)';$/gm;

it('the snippets run', async () => {
  const modules: Readonly<Record<string, unknown>> = {
    './generated/flowers.js': await moduleOf(blocks('dsl')[0]!, 'f32'),
    'chainrule/runtime': runtime,
    'chainrule/node': node,
    'chainrule/report': report,
  };
  const code = blocks('ts').join('\n').replaceAll("'runs/", `'${folder}/`);
  const body = code.replaceAll(IMPORT, (_, type: string | undefined, names: string, from: string) => {
    expect(Object.keys(modules)).toContain(from);
    return type === undefined ? `const ${names} = modules['${from}'];` : '';
  });
  const random = new Random(1, 'flowers');
  const label = Int32Array.from({ length: 120 }, () => random.integer(3));
  const x = Float32Array.from(
    { length: 480 },
    (_, i) => random.normal() + 2 * label[i >> 2]! * ((i % 4) - 1),
  );
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  const script = `return (async () => {${body}
    return { history, trainer, first, second }; })()`;
  const wrapped = transformSync(`function run(modules, x, label) {${script}}`, { loader: 'ts' }).code;
  const run = new Function(`${wrapped}; return run;`)() as (
    ...given: readonly unknown[]
  ) => Promise<Record<'trainer' | 'first' | 'second', runtime.Trainer<object, object>>>;
  const { trainer, first, second } = await run(modules, x, label);
  log.mockRestore();
  write.mockRestore();
  expect(trainer.evaluate({ x, label })['accuracy']).toBeGreaterThan(0.9);
  expect([first.step, second.step]).toEqual([7, 80]);
  for (const file of ['log.csv', 'first/train', 'first/validation', 'report.html'])
    expect(existsSync(join(folder, file))).toBe(true);
});

it('the tables name the options and callbacks that there are', async () => {
  const module = await moduleOf(blocks('dsl')[0]!, 'f32');
  const named = (after: string): string[] =>
    [
      ...text
        .slice(text.indexOf(after))
        .split('\n\n')[0]!
        .matchAll(/^\| `.*?\|/gm),
    ].flatMap(([cell]) => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
  const refusal = await module
    .createTrainer()
    .fit({}, { nonsense: 1 } as object)
    .catch((error: Error) => error.message);
  const options = String(refusal).split('options are ')[1]!.split(', ');
  const shorthand = ['onBatch', 'onEpoch'];
  expect(named('| option').toSorted()).toEqual(
    options.filter((name) => !shorthand.includes(name)).toSorted(),
  );
  const callbacks = { ...runtime, ...node, ...report };
  for (const name of named('| callback ')) expect(Object.keys(callbacks)).toContain(name);
});
