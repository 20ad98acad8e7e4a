/** Modules for inference: the same outputs bit by bit, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyse, compile } from '../../compiler/index.ts';
import { runtimeText } from '../../compiler/cli/standalone.ts';
import { Random } from '../../runtime/random.ts';
import type { Port } from '../../runtime/types.ts';
import { loadModule, loadPredictor } from '../support/load.ts';
import { strictErrors } from '../support/strict.ts';

/** Running statistics, draws and a penalty of training, a part that only the loss needs. */
const BUSY = `model Busy {
  input x[n, 3]
  input label[n]: 3
  h = x |> dense(5) |> batch_norm |> tanh |> dropout(0.3)
  z = h |> dense(3)
  aside = h |> dense(2)
  output p[n, k] = softmax[k](z[n, k])
  loss           = mean[n](cross_entropy[k](z[n, k], label[n])) + mean(aside^2)
  train { optimizer: adam(rate = 1e-2), freeze: h_dense_W, batch: 4, seed: 3 }
}`;

const emitted = async (text: string, inference = true, standalone?: string): Promise<string> => {
  const { modules, diagnostics } = await compile(
    { path: 'busy.dsl', text },
    { inference, ...(standalone === undefined ? {} : { standalone }) },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return modules[0]!.text;
};

let busy = '';
beforeAll(async () => {
  busy = await emitted(BUSY);
});

/** Values that an input may have. */
function valuesFor({ shape, batched, element, least = 0, greatest = 1 }: Port, rows: number): number[] {
  const random = new Random(1, 'inputs');
  const size = shape.reduce((product, axis) => product * axis, batched ? rows : 1);
  return Array.from({ length: size }, () =>
    element === 'integer' ? least + random.integer(greatest - least + 1) : random.normal(),
  );
}

describe('a module for inference', () => {
  it('is the committed one', async () => {
    await expect(busy).toMatchFileSnapshot('./golden/predictor.ts');
  });

  it.each([/gradient/, /backward/, /update/, /loss/, /drawBernoulli/, /_inference/, /aside =/, /label/])(
    'never says %s',
    (word) => expect(busy).not.toMatch(word),
  );

  it('has the parameters and states that the outputs need, and knows the others', () => {
    const { description } = loadPredictor(busy);
    const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);
    expect(names(description.inputs)).toEqual(['x']);
    expect(names(description.parameters).filter((name) => name.startsWith('aside'))).toEqual([]);
    expect(description.unread).toEqual(['aside_W', 'aside_b']);
    expect(description.states).toHaveLength(2);
  });

  it('imports nothing with --standalone, and has no part of training', async () => {
    const alone = await emitted(BUSY, true, runtimeText());
    expect(alone).not.toMatch(/^import/m);
    expect(alone).not.toMatch(/class Engine|function fit\b|getTraining/);
    expect(strictErrors(alone)).toBe('');
    const predictor = loadPredictor(alone).createPredictor();
    expect(() => predictor.predict({ x: [1, 2, 3] })).toThrow('must be set before it can predict');
  });

  it('of a model whose loss has no derivative compiles', () => {
    const text = `model Counting {
      input k[n]: 4
      output seen[k[n]: 4] max= 1 for n
      param w[4] ~ ones
      product[k[n]: 4] *= w[k[n]] for n
      loss = sum(product)
      train { optimizer: sgd(rate = 1) }
    }`;
    const codes = (inference: boolean): string[] =>
      analyse({ path: 'm.dsl', text }, { inference }).diagnostics.map(({ code }) => code);
    expect(codes(false)).toContain('E603');
    expect(codes(true)).not.toContain('E603');
  });

  it('of a model without outputs is an error at its loss', () => {
    const text = BUSY.replace('output p', 'p');
    const { diagnostics, models } = analyse({ path: 'm.dsl', text }, { inference: true });
    const error = diagnostics.find(({ severity }) => severity === 'error');
    expect(error).toMatchObject({
      code: 'E107',
      message: 'model Busy has no output, so there is nothing to predict',
    });
    expect(models).toEqual([]);
  });
});

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const sources = readdirSync(examples).flatMap((folder) =>
  readdirSync(`${examples}/${folder}`)
    .filter((file) => file.endsWith('.dsl'))
    .map((file) => `${examples}/${folder}/${file}`),
);

describe.each([...sources.map((path) => [path.slice(examples.length + 1)]), ['BUSY']])('%s', (name) => {
  it('predicts what its trainer predicts, in no more memory', async () => {
    const text = name === 'BUSY' ? BUSY : readFileSync(`${examples}/${name}`, 'utf8');
    const [whole, parts] = await Promise.all(
      [false, true].map(
        async (inference) =>
          (await compile({ path: name, text }, { format: false, inference, dtype: 'f64' })).modules,
      ),
    );
    for (const [k, module] of whole!.entries()) {
      const { createTrainer, description } = loadModule(module.text);
      const { createPredictor, description: own } = loadPredictor(parts![k]!.text);
      const trainer = createTrainer({ batch: 4, seed: 5 });
      const predictor = createPredictor({ batch: 4, seed: 5 });
      predictor.copyWeights(trainer);
      const data = Object.fromEntries(own.inputs.map((port) => [port.name, valuesFor(port, 6)]));
      const outputs = predictor.predict(data);
      expect(Object.keys(outputs)).toEqual(description.outputs.map((port) => port.name));
      expect(outputs).toEqual(trainer.predict(data));
      expect(own.work.bytes[1] ?? 0).toBeLessThanOrEqual(description.work.bytes[1] ?? 0);
      expect(parts![k]!.text.length).toBeLessThan(module.text.length);
    }
  });
});
