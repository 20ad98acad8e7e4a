/** docs/TRAINING.md: its model compiles, its snippets run one after the other, its tables name what there is. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, expect, it, vi } from 'vitest';
import * as node from '../../runtime/node/index.ts';
import * as report from '../../runtime/report/index.ts';
import * as runtime from '../../runtime/index.ts';
import { moduleOf } from '../runtime/support.ts';
import { blocksOf, flowers, pageOf, promisedBy, runSnippets } from './snippets.ts';

const page = pageOf('TRAINING.md');
const [model] = blocksOf(page, 'dsl');
const folder = mkdtempSync(join(tmpdir(), 'chainrule-training-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the snippets run', async () => {
  const modules: Readonly<Record<string, object>> = {
    './generated/flowers.js': await moduleOf(model!, 'f32'),
    'chainrule/runtime': runtime,
    'chainrule/node': node,
    'chainrule/report': report,
  };
  const code = blocksOf(page, 'ts').join('\n').replaceAll("'runs/", `'${folder}/`);
  const { x, label } = flowers();
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  const { made, logged } = await runSnippets<Made>(code, {
    modules,
    given: { x, label },
    wanted: ['trainer', 'first', 'second'],
  });
  write.mockRestore();
  // the first says how the training went, which the page does not
  const printed = logged.slice(1).map((values) => format(...values));
  expect(printed.join(', ')).toBe(promisedBy(page).join(', '));
  const { trainer, first, second } = made;
  expect(trainer.evaluate({ x, label })['accuracy']).toBeGreaterThan(0.9);
  expect([first.step, second.step]).toEqual([7, 80]);
  for (const file of ['log.csv', 'first/train', 'first/validation', 'report.html'])
    expect(existsSync(join(folder, file))).toBe(true);
});

it('the tables name the options and callbacks that there are', async () => {
  const module = await moduleOf(model!, 'f32');
  const named = (after: string): string[] =>
    [
      ...page
        .slice(page.indexOf(after))
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

type Made = Record<'trainer' | 'first' | 'second', runtime.Trainer<object, object>>;
