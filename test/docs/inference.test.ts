/** docs/INFERENCE.md: its model compiles, its snippets run one after the other, its table names the options there are. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as formats from '../../runtime/formats/index.ts';
import * as runtime from '../../runtime/index.ts';
import { moduleOf, predictorOf } from '../runtime/support.ts';
import { blocksOf, flowers, pageOf, runSnippets } from './snippets.ts';

const page = pageOf('INFERENCE.md');

it('the snippets run, and print what the page shows', async () => {
  const [model] = blocksOf(page, 'dsl');
  const modules: Readonly<Record<string, object>> = {
    './generated/flowers.js': await moduleOf(model!, 'f32'),
    './generated/flowers.inference.js': await predictorOf(model!, 'f32'),
    'chainrule/runtime': runtime,
    'chainrule/formats': formats,
  };
  const { x, label } = flowers();
  const { made, logged } = await runSnippets<Made>(blocksOf(page, 'ts').join('\n'), {
    modules,
    given: { x, label },
    wanted: ['trainer', 'p'],
  });
  const { trainer, p } = made;
  expect(p).toHaveLength(360);
  expect(trainer.evaluate({ x, label })['accuracy']).toBeGreaterThan(0.9);
  expect(trainer.getWeights()['z_W']!.filter((value) => value === 0)).toHaveLength(Math.round(0.8 * 48));
  // dense 4·16 + 16, batch_norm 4·16, dense 16·3 + 3
  expect(logged[0]).toEqual([4 * (80 + 64 + 51), 4 * (16 + 64 + 3) + 64 + 48 + 4 * (16 + 3)]);
  expect(blocksOf(page, 'text').at(-1)).toBe(`${String(logged.at(-1)![0])}\n`);
});

it('the table names the options of MagnitudePruning', () => {
  const named = [...page.matchAll(/^\| `.*?\|/gm)].flatMap(([cell]) =>
    [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
  );
  const source = readFileSync(
    new URL('../../runtime/callbacks/magnitude-pruning.ts', import.meta.url),
    'utf8',
  );
  const declared = source.slice(source.indexOf('Options {'), source.indexOf('\n}\n'));
  expect(named).toEqual([...declared.matchAll(/readonly (\w+)/g)].map((match) => match[1]!));
});

interface Made {
  readonly trainer: runtime.Trainer<object, object>;
  readonly p: Float32Array;
}
