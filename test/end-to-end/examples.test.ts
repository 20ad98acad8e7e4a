/** Every example, run as its reader would, from the committed generated code: what it prints, and how well it learns. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../runtime/formats/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function run(script: string, ...flags: string[]): Promise<string> {
  const words = ['--conditions=chainrule-source', '--import', 'tsx', `examples/${script}`, ...flags];
  return (await promisify(execFile)(process.execPath, words, { cwd: root })).stdout;
}

/** The number after `what` on the last line that has it. */
function figure(output: string, what: string): number {
  const line = output.split('\n').findLast((text) => text.includes(what)) ?? '';
  return Number(new RegExp(`${what}:? +(-?[\\d.]+)`).exec(line)?.[1]);
}

// Seconds each; a busy machine may take much longer.
describe('examples', { timeout: 300_000 }, () => {
  it('by-hand shows the numbers that paper gives', async () => {
    const output = await run('by-hand/train.ts');
    expect(output).toContain('loss = 1/2 (y - t)^2      = 18');
    expect(output).toContain('dW2  = h dy               = [18, 18]');
    expect(output).toContain('dW1  = x (dh where h > 0) = [[6, 6], [12, 12]]');
  });

  it('xor is learnt', async () => {
    const output = await run('xor/train.ts');
    const rows = [...output.matchAll(/= (\d) {3}network: ([\d.]+)/g)];
    expect(rows).toHaveLength(4);
    for (const [, wanted, got] of rows) expect(Math.abs(Number(got) - Number(wanted))).toBeLessThan(0.05);
  });

  it('iris: at least 0.9 of the flowers it has not seen', async () => {
    expect(figure(await run('iris/train.ts'), 'accuracy')).toBeGreaterThanOrEqual(0.9);
  });

  it('regression explains at least 0.4 of the variance', async () => {
    expect(figure(await run('regression/train.ts'), 'R²')).toBeGreaterThanOrEqual(0.4);
  });

  it('pinn solves its equation to three digits', async () => {
    const output = await run('pinn/train.ts');
    expect(figure(output, 'greatest error')).toBeLessThan(1e-3);
    expect(output).toContain('u(1.00) = 0.0000');
  });

  it('digits-small: at least 0.885', async () => {
    expect(figure(await run('digits-small/train.ts'), 'accuracy')).toBeGreaterThanOrEqual(0.885);
  });

  it('digits: at least 0.93, one plain line an epoch in a pipe', async () => {
    const output = await run('digits/train.ts');
    expect(output.match(/^epoch +\d+\/10 {2}loss [\d.]+ {2}accuracy [\d.]+/gm)).toHaveLength(10);
    expect(figure(output, 'accuracy')).toBeGreaterThanOrEqual(0.93);
  });

  it('finetune: better than before, the frozen layer unchanged', async () => {
    const output = await run('finetune/train.ts');
    const accuracy = (when: string): number => figure(output, `${when}test accuracy on the digits 5 to 9`);
    expect(accuracy('after:  ')).toBeGreaterThan(accuracy('before: ') + 0.3);
    expect(output).toContain('first layer unchanged');
  });

  it('names: after one epoch better than the bigram model, and ten names', async () => {
    const output = await run('names/train.ts', '--quick');
    expect(figure(output, 'bigram model')).toBeCloseTo(2.4213, 4);
    expect(figure(output, 'recurrent network')).toBeLessThan(figure(output, 'bigram model') - 0.1);
    expect(output.match(/^ {2}[a-z]+/gm)).toHaveLength(10);
  }, 180_000);

  it('gpt: a few steps already tell it the common characters, and it writes on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chainrule-gpt-'));
    const file = join(folder, 'weights.safetensors');
    const output = await run('gpt/train.ts', '--quick', '--save', file);
    expect(Object.keys(readSafetensors(readFileSync(file)))).toHaveLength(54);
    rmSync(folder, { recursive: true });
    expect(output.match(/^epoch [12]\/2 {2}loss [\d.]+ {2}val_loss [\d.]+/gm)).toHaveLength(2);
    expect(figure(output, 'bigram model')).toBeCloseTo(2.3775, 4);
    expect(figure(output, 'transformer')).toBeLessThan(3.4); // from log 96 = 4.56
    expect(output).toMatch(/\nCall me Ishmael\.[\s\S]{40}\n$/);
  }, 180_000);

  it('finetune-gpt: a few steps on pretrained weights beat as many from scratch; merged updates are the same', async () => {
    const output = await run('finetune-gpt/train.ts', '--quick');
    const row = (name: string): { trained: number; loss: number } => {
      const columns = output.split('\n').findLast((line) => line.startsWith(`${name}  `)) ?? '';
      const [trained, , loss] = columns.slice(name.length).replaceAll(',', '').trim().split(/ +/).map(Number);
      return { trained: trained!, loss: loss! };
    };
    expect(row('untouched').loss).toBeCloseTo(2.0588, 3);
    const trained = { 'full tuning': 215_520, 'last block': 56_096, LoRA: 14_336 };
    for (const [name, count] of Object.entries(trained)) {
      expect(row(name).trained).toBe(count);
      expect(row(name).loss, name).toBeLessThan(row('untouched').loss - 0.01);
    }
    expect(row('from scratch').loss).toBeGreaterThan(3);
    expect(row('LoRA, merged').loss).toBeCloseTo(row('LoRA').loss, 3);
    expect(output.match(/^loaded 54 tensors, missing (0|32), unexpected 0$/gm)).toHaveLength(3);
    expect(output).toMatch(/\nFellow-Citizens of the Senate[\s\S]{40}\n/);
  }, 180_000);

  it('lenet: at least 0.85 after one quick epoch', async () => {
    expect(figure(await run('lenet/train.ts', '--quick'), 'accuracy')).toBeGreaterThanOrEqual(0.85);
  });

  it('compress: int8 costs a quarter of the bytes and nearly nothing else, pruning the rest', async () => {
    const output = await run('digits/compress.ts', '--quick');
    const row = (title: string): number[] =>
      [...(output.split(`\n${title} `)[1]?.split('\n')[0] ?? '').matchAll(/[-\d.,]+/g)]
        .slice(-4)
        .map(([text]) => Number(text.replaceAll(',', '')));
    const [accuracy, , bytes] = row('float32');
    expect(accuracy).toBeGreaterThan(70);
    expect(bytes).toBe(101_770 * 4);
    const [, lost, small] = row('int8, a scale per channel');
    expect(Math.abs(lost!)).toBeLessThan(1);
    // W1 and W2 a byte each and 138 scales, the biases as they are
    expect(small).toBe(100_352 + 1280 + 4 * (138 + 138));
    const zipped = ['float32', '80 % pruned', '90 % pruned', '95 % pruned'].map((title) => row(title)[3]!);
    expect(zipped).toEqual(zipped.toSorted((a, b) => b - a));
    expect(zipped[3]).toBeLessThan(0.1 * zipped[0]!);
  });

  it('resnet: at least 0.85 with running statistics after two quick epochs', async () => {
    expect(figure(await run('resnet/train.ts', '--quick'), 'accuracy')).toBeGreaterThanOrEqual(0.85);
  });

  it('vae: after two quick epochs much better than the mean picture; three sheets of pictures', async () => {
    const output = await run('vae/train.ts', '--quick');
    const tested = output.split('\n').find((line) => line.startsWith('test')) ?? '';
    const bound = figure(tested, 'evidence lower bound');
    expect(bound).toBeGreaterThan(figure(output, 'mean of all pictures') + 25);
    expect(bound).toBeCloseTo(figure(tested, 'reconstruction') - figure(tested, 'divergence'), 1);
    for (const name of ['reconstructions', 'samples', 'ways']) {
      const sheet = decode(readFileSync(`${root}/examples/vae/out/${name}.png`));
      expect([sheet.width, sheet.height, sheet.channels]).toEqual([1047, 699, 1]);
      expect(new Set(sheet.data).size, name).toBeGreaterThan(100);
    }
  });

  it('each has its model, its script and a few words', () => {
    for (const { name } of readdirSync(`${root}/examples`, { withFileTypes: true })) {
      if (name === 'common') continue;
      const files = readdirSync(`${root}/examples/${name}`);
      // the page trains the model of another example: test/end-to-end/browser
      const own = name === 'page' ? ['index.html', 'main.ts', 'worker.ts'] : [`${name}.dsl`, 'train.ts'];
      expect(files, name).toEqual(expect.arrayContaining([...own, 'README.md']));
    }
  });
});
