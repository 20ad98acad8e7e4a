import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyse, compile, type CompileOptions } from '../../compiler/index.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { randomTensors } from '../property/programs.ts';
import { transformer } from '../support/deep.ts';
import { loadModule } from '../support/load.ts';

/** V8 stops optimising a little above; and a person stops reading well before. */
const MOST_SOURCE = 16 * 1024;

const root = fileURLToPath(new URL('../..', import.meta.url));

async function emitted(text: string, format = false, options: CompileOptions = {}): Promise<string> {
  const { modules, diagnostics } = await compile({ path: 'deep.dsl', text }, { format, ...options });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return modules[0]!.text;
}

const gpt = { blocks: 4, width: 768, heads: 12, steps: 64, words: 500 };
const tiny = { blocks: 3, width: 8, heads: 2, steps: 4, words: 6 };

/** Each function of a formatted module, with its name. */
function functionsOf(module: string): { name: string; text: string }[] {
  return [...module.matchAll(/^(?:export )?function (\w+)[\s\S]*?^}/gm)].map(([text, name = '']) => ({
    name,
    text,
  }));
}

const operationsOf = (module: string): string[] =>
  functionsOf(module).flatMap(({ name }) => (/Part\d+$/.test(name) ? [] : [name]));

/** Many layers with modes, states and draws, and an optimizer that goes parameter by parameter. */
const modes = `model Modes {
  input x[n, 6]
  random eps[n, 6] ~ normal
  h0[n, i] = x[n, i] + eps[n, i]
${Array.from({ length: 10 }, (_, k) => `  h${k + 1} = h${k} |> dense(6) |> batch_norm |> relu |> dropout(0.2)`).join('\n')}
  output z = h10 |> dense(2)
  loss = mean(z^2)
  train { optimizer: lamb(rate = cosine(1e-2, period = 100)), batch: 4, clip_norm: 1 }
}`;

describe('no function has more than 16 KB of source', () => {
  const examples = readdirSync(`${root}/generated`);

  it.each(examples)('in generated/%s', (file) => {
    const large = functionsOf(readFileSync(`${root}/generated/${file}`, 'utf8')).filter(
      ({ text }) => text.length > MOST_SOURCE,
    );
    expect(large.map(({ name }) => name)).toEqual([]);
  });

  it.each(examples)('and none of generated/%s is overlooked', (file) => {
    const text = readFileSync(`${root}/generated/${file}`, 'utf8');
    const found = functionsOf(text);
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(found).toHaveLength(code.match(/\bfunction\b/g)!.length);
    expect(found.filter(({ name }) => /^create(Trainer|Predictor)$/.test(name))).toHaveLength(1);
  });

  it.each([
    { name: '8 blocks of a transformer', text: transformer({ ...gpt, blocks: 8 }) },
    { name: 'many layers with modes, states and draws', text: modes },
  ])('in $name', async ({ text }) => {
    const functions = functionsOf(await emitted(text, true));
    expect(functions.some(({ name }) => name === 'forwardPart2')).toBe(true);
    expect(functions.filter((each) => each.text.length > MOST_SOURCE).map(({ name }) => name)).toEqual([]);
  });
});

describe('a program in parts', () => {
  it('gives the loss and the gradients of the interpreter', async () => {
    const text = transformer(tiny);
    const module = loadModule(await emitted(text));
    const { program } = analyse({ path: 'deep.dsl', text }).models[0]!;
    const tensors = randomTensors(program, 1, { n: 2 });
    const wanted = interpret(program, { extents: { n: 2 }, tensors });
    const compiled = module.createProgram(2);
    for (const name of ['tokens', 'next']) compiled.inputs[name]!.set(tensors[name]!);
    for (const { name, offset } of module.description.parameters)
      compiled.parameters.set(tensors[name]!, offset);
    compiled.forward(2, 0, 0);
    compiled.backward(2);
    expect(compiled.results[0]).toBeCloseTo(wanted.get('loss')![0]!, 4);
    for (const { name, offset, size } of module.description.parameters) {
      const gradient = wanted.get(program.gradients.get(name)!)!;
      const got = compiled.gradients.subarray(offset, offset + size);
      expect(Math.max(...gradient.map((value, i) => Math.abs(value - got[i]!))), name).toBeLessThan(1e-4);
    }
  });

  it('trains: draws, states, evaluation and the optimizer are in it', async () => {
    const { createTrainer } = loadModule(await emitted(modes));
    const trainer = createTrainer({ seed: 1 });
    const x = Float32Array.from({ length: 8 * 6 }, (_, i) => Math.sin(i));
    const { history } = await trainer.fit({ x }, { epochs: 3 });
    expect(history['loss']).toHaveLength(3);
    expect(history['loss']!.every(Number.isFinite)).toBe(true);
    expect(trainer.evaluate({ x })['loss']).toBe(trainer.evaluate({ x })['loss']);
  });

  it('passes the strictest type check a user may have', async () => {
    const golden = `${root}/test/emit/golden`;
    const directory = mkdtempSync(join(golden, 'deep-'));
    try {
      writeFileSync(join(directory, 'modes.ts'), await emitted(modes));
      writeFileSync(join(directory, 'gpt.ts'), await emitted(transformer(tiny)));
      const watched = await emitted(transformer(tiny), false, { checks: true, trace: true });
      writeFileSync(join(directory, 'watched.ts'), watched);
      writeFileSync(
        join(directory, 'tsconfig.json'),
        JSON.stringify({ extends: '../tsconfig.json', include: ['*.ts'] }),
      );
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      expect(execFileSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })).toBe('');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('what stands above a function', () => {
  it('is the formula in the names of the function, the place, and what it serves', async () => {
    const text = await emitted(transformer(tiny));
    expect(text).toContain(
      [
        '// y[n, i, k] = (x[n, i, k] - m[n, i]) / sqrt(v[n, i] + 0.00001) * g[k] + b[k]      deep.dsl:6-9 (normalisation.dsl:17)',
        '// y stands for h1_attended_layer_norm_y, h1_fed_layer_norm_y, h2_attended_layer_norm_y, h2_fed_layer_norm_y,',
        '// h3_attended_layer_norm_y, h3_fed_layer_norm_y, logits_layer_norm_y',
        'export function forward_layer_norm_y(',
      ].join('\n'),
    );
  });

  it('tells what a gradient is of, where that is a part of something else', async () => {
    const text = await emitted(`model Parts {
      input x[n, 4]
      h = x |> dense(64) |> relu
      z = h |> dense(2)
      loss = mean(z^2)
      train { optimizer: sgd(rate = 0.1) }
    }`);
    expect(text).not.toMatch(/\bh_y:/);
    expect(text).toMatch(/\/\/ h_y is a part of h and not stored itself\nexport function backward_dh_y\(/);
  });

  it('has lines of a page, broken before operators, in which nothing is lost', async () => {
    const text = await emitted(transformer(tiny));
    const comments = text.split('\n').filter((line) => line.startsWith('//'));
    expect(comments.filter((line) => line.length > 140)).toEqual([]);
    expect(comments.join(' ').replaceAll(/ +(?:\/\/)? */g, ' ')).toContain(
      'dx[n, t, d] = dy2[n, t, d] + dy[n, t, d] * (g[d] / sqrt(v[n, t] + 0.00001)) ' +
        '+ dv_sum[n, t] * (2 * (x[n, t, d] - m[n, t])) + dm_sum[n, t]',
    );
  });
});

describe('what code size depends on', () => {
  it('not on extents: other sizes, the same functions and lines', async () => {
    const small = await emitted(transformer({ ...gpt, blocks: 2, steps: 128, words: 2048 }));
    const large = await emitted(transformer({ ...gpt, blocks: 2, width: 1536, steps: 512, words: 8192 }));
    expect(operationsOf(large)).toEqual(operationsOf(small));
    const operations = (module: string): number =>
      module
        .slice(0, module.indexOf('-- the program'))
        .split('\n')
        .filter((line) => !/^ *(\/\/|\*)/.test(line)).length;
    expect(operations(large)).toBe(operations(small));
  });

  it('equal layers share functions: 2, 4 and 8 blocks have the same', async () => {
    const [two, four, eight] = await Promise.all(
      [2, 4, 8].map(async (blocks) => operationsOf(await emitted(transformer({ ...gpt, blocks })))),
    );
    expect(four).toHaveLength(two!.length);
    expect(eight).toHaveLength(two!.length);
  });

  it('each further block adds as much: its parameters, its arrays and its calls', async () => {
    const sizes = await Promise.all(
      [4, 6, 8].map(async (blocks) => (await emitted(transformer({ ...gpt, blocks }))).length),
    );
    const [four = 0, six = 0, eight = 0] = sizes;
    expect((eight - six) / (six - four)).toBeGreaterThan(0.95);
    expect((eight - six) / (six - four)).toBeLessThan(1.05);
  });
});
