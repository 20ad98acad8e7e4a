/** docs/FINETUNING.md: its models compile, its snippets run one after the other and print what they say. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { analyse, renderDiagnostics } from '../../compiler/index.ts';
import * as formats from '../../runtime/formats/index.ts';
import * as node from '../../runtime/node/index.ts';
import * as runtime from '../../runtime/index.ts';
import { moduleOf } from '../runtime/support.ts';
import { blocksOf, flowers, pageOf, promisedBy, runSnippets } from './snippets.ts';

const page = pageOf('FINETUNING.md');
const folder = mkdtempSync(join(tmpdir(), 'chainrule-finetuning-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const models = new Map(blocksOf(page, 'dsl').map((model) => [/^model (\w+)/m.exec(model)![1]!, model]));

it.each([...models])('%s compiles without a word', (_, model) => {
  const { diagnostics } = analyse({ path: 'model.dsl', text: model });
  expect(renderDiagnostics(diagnostics, { color: false })).toBe('');
});

it('the snippets run and print what they say', async () => {
  const modules: Record<string, object> = {
    'chainrule/runtime': runtime,
    'chainrule/node': node,
    'chainrule/formats': formats,
  };
  for (const [name, model] of models)
    modules[`./generated/${name.toLowerCase()}.js`] = await moduleOf(model, 'f32');
  const code = blocksOf(page, 'ts')
    .join('\n')
    .replaceAll("'flowers.safetensors'", `'${folder}/flowers.safetensors'`);
  const data = flowers();
  const pairs = { x: data.x, label: data.label.map((kind) => (kind === 0 ? 0 : 1)) };
  const { made, logged } = await runSnippets<Made>(code, {
    modules,
    given: { data, pairs },
    wanted: ['flowers', 'trainer', 'held', 'updates', 'plain', 'next', 'bytes'],
  });
  expect(logged).toEqual(promisedBy(page).map((value) => [JSON.parse(value.replaceAll("'", '"'))]));

  const [before, after] = [made.flowers, made.trainer].map((trainer) => trainer.getWeights());
  expect(after!['h1_W']).toEqual(before!['h1_W']);
  expect(after!['h2_W']).not.toEqual(before!['h2_W']);
  expect(made.trainer.evaluate(pairs)['loss']).toBeLessThan(0.3);
  expect(made.held.getWeights()['start_W']).toEqual(before!['h2_W']);
  expect(made.next.getWeights()).toEqual(made.held.getWeights());
  const [wanted, got] = [made.updates, made.plain].map((trainer) => trainer.predict(data).p);
  for (const [i, p] of wanted!.entries()) expect(got![i]).toBeCloseTo(p, 5);
  expect(Object.keys(formats.readSafetensors(made.bytes))).toHaveLength(6);
});

type Trained = Record<
  'flowers' | 'trainer' | 'held' | 'updates' | 'plain' | 'next',
  runtime.Trainer<object, Outputs>
>;
type Made = Trained & { readonly bytes: Uint8Array };

interface Outputs {
  readonly p: Float32Array;
}
