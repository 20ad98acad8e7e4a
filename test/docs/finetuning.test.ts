/** docs/FINETUNING.md: its models compile, its snippets run one after the other and print what they say. */
import { transformSync } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { analyse, renderDiagnostics } from '../../compiler/index.ts';
import * as formats from '../../runtime/formats/index.ts';
import * as node from '../../runtime/node/index.ts';
import * as runtime from '../../runtime/index.ts';
import { Random } from '../../runtime/random.ts';
import { moduleOf } from '../runtime/support.ts';

const text = readFileSync(new URL('../../docs/FINETUNING.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map((match) => match[1]!);
const folder = mkdtempSync(join(tmpdir(), 'chainrule-finetuning-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const models = new Map(blocks('dsl').map((model) => [/^model (\w+)/m.exec(model)![1]!, model]));
const IMPORT = /^import (\{[^}]*\}|\* as \w+) from '([^']*)';$/gm;

it.each([...models])('%s compiles without a word', (_, model) => {
  const { diagnostics } = analyse({ path: 'model.dsl', text: model });
  expect(renderDiagnostics(diagnostics, { color: false })).toBe('');
});

it('the snippets run and print what they say', async () => {
  const modules: Record<string, unknown> = {
    'chainrule/runtime': runtime,
    'chainrule/node': node,
    'chainrule/formats': formats,
  };
  for (const [name, model] of models)
    modules[`./generated/${name.toLowerCase()}.js`] = await moduleOf(model, 'f32');
  const code = blocks('ts').join('\n').replaceAll("'flowers.safetensors'", `'${folder}/flowers.safetensors'`);
  const body = code.replaceAll(IMPORT, (_, names: string, from: string) => {
    expect(Object.keys(modules)).toContain(from);
    return `const ${names.replace('* as ', '')} = modules['${from}'];`;
  });
  const random = new Random(1, 'flowers');
  const label = Int32Array.from({ length: 120 }, () => random.integer(3));
  const x = Float32Array.from(
    { length: 480 },
    (_, i) => random.normal() + 2 * label[i >> 2]! * ((i % 4) - 1),
  );
  const data = { x, label };
  const pairs = { x, label: label.map((kind) => (kind === 0 ? 0 : 1)) };
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const script = `return (async () => {${body}
    return { flowers, trainer, held, updates, plain, next, bytes }; })()`;
  const wrapped = transformSync(`function run(modules, data, pairs) {${script}}`, { loader: 'ts' }).code;
  const run = new Function(`${wrapped}; return run;`)() as (...given: readonly unknown[]) => Promise<
    Record<
      'flowers' | 'trainer' | 'held' | 'updates' | 'plain' | 'next',
      runtime.Trainer<object, Outputs>
    > & {
      bytes: Uint8Array;
    }
  >;
  const made = await run(modules, data, pairs);
  const printed = log.mock.calls.map(([value]) => value as unknown);
  log.mockRestore();
  const promised = [...text.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(
    ([, value]) => JSON.parse(value!.replaceAll("'", '"')) as unknown,
  );
  expect(printed).toEqual(promised);

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

interface Outputs {
  readonly p: Float32Array;
}
