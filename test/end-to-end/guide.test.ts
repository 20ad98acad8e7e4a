/** docs/GUIDE.md, followed by a user: its files are written and its commands run, in order, beside a clone. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Random, ReduceLROnPlateau } from '../../runtime/index.ts';
import { moduleOf } from '../runtime/support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/GUIDE.md');
const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };

/** A section of the page, with its blocks in order. */
interface Section {
  readonly title: string;
  readonly blocks: { readonly language: string; readonly text: string }[];
}

const sections: Section[] = [];
for (const [, title, language, text] of page.matchAll(/^##? (.*)$|^```(\w+)\n([^]*?)^```$/gm)) {
  if (title !== undefined) sections.push({ title, blocks: [] });
  else sections.at(-1)!.blocks.push({ language: language!, text: text! });
}

const start = mkdtempSync(join(tmpdir(), 'chainrule-guide-'));
/** Where the next command runs: it begins beside the clone, and `cd` changes it. */
let folder = start;
/** What a clone has, as far as the guide needs it. */
const CLONED = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
];
const FOLDERS = ['bin', 'compiler', 'docs', 'runtime', 'examples/iris/data', 'examples/finetune/data'];
beforeAll(() => {
  for (const name of [...CLONED, ...FOLDERS])
    cpSync(join(root, name), join(start, 'chainrule', name), { recursive: true });
});
afterAll(() => rmSync(start, { recursive: true, force: true }), 120_000);

const environment = {
  ...process.env,
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_loglevel: 'error',
};

/** What a command of the page prints on a terminal. Commands are run as they stand; tsx has the version of the project. */
async function run(command: string): Promise<string> {
  const [word, target] = command.split(' ');
  if (word === 'cd') {
    folder = join(folder, target!);
    return '';
  }
  if (command.endsWith(' --watch')) return watch(command);
  const line = command.startsWith('npm install')
    ? command.replace(/ tsx$/, ` tsx@${devDependencies['tsx']}`)
    : command;
  return execFileSync('sh', ['-ec', `${line} 2>&1`], { cwd: folder, encoding: 'utf8', env: environment });
}

/** `compile flowers.dsl -o generated --watch`: the model is changed while it runs, and changed back. */
async function watch(command: string): Promise<string> {
  const [, name] = /compile (\w+)\.dsl -o generated/.exec(command)!;
  const [model, module] = [join(folder, `${name}.dsl`), join(folder, `generated/${name}.ts`)];
  const text = readFileSync(model, 'utf8');
  const before = readFileSync(module, 'utf8');
  // a group of its own, so that the end of npx is the end of what it has started
  const child = spawn('sh', ['-ec', `exec ${command} 2>&1`], { cwd: folder, detached: true });
  let printed = '';
  child.stdout.on('data', (piece: Buffer) => (printed += piece.toString()));
  const watches = (times: number): Promise<void> =>
    vi.waitFor(() => expect(printed.split('watching').length).toBe(times + 1), { timeout: 30_000 });
  // as editors do: whole at once
  const save = (changed: string): void => {
    writeFileSync(`${model}.tmp`, changed);
    renameSync(`${model}.tmp`, model);
  };
  try {
    await watches(1);
    save(text.replace('dense(16)', 'dense(8)'));
    await watches(2);
    expect(readFileSync(module, 'utf8')).not.toBe(before);
    save(text);
    await watches(3);
    expect(readFileSync(module, 'utf8')).toBe(before);
  } finally {
    process.kill(-child.pid!, 'SIGINT');
  }
  return '';
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;
const SECONDS = /\d+\.\d+ s$/;
const shapeOf = (line: string): string => line.trimEnd().replaceAll(NUMBER, '#');
const numbersOf = (line: string): string[] => line.replace(SECONDS, '').match(NUMBER) ?? [];

/** What one more in the last digit is: of 0.025 it is 0.001, of 1.3e-7 it is 1e-8, of a whole number nothing. */
function lastPlace(number: string): number {
  const [, decimals = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e(.+))?$/.exec(number)!;
  return decimals === '' && exponent === '0' ? 0 : 10 ** (Number(exponent) - decimals.length);
}

/** Words are the same, numbers to within a fiftieth and one in the last digit; seconds are what they are. */
function isLike(shown: string, printed: string): boolean {
  if (shapeOf(shown) !== shapeOf(printed)) return false;
  const found = numbersOf(printed).map(Number);
  return numbersOf(shown).every((number, i) => {
    const slack = 0.02 * Math.abs(Number(number)) + lastPlace(number);
    return Math.abs(Number(number) - found[i]!) <= slack * (1 + 1e-9);
  });
}

/** Whether a block shows what was printed; a line of `...` stands for any lines. */
function expectShown(block: string, printed: string): void {
  const lines = printed.trimEnd().split('\n');
  const isWhole = !/^\.\.\.$/m.test(block);
  if (isWhole) expect(lines.length, printed).toBe(block.trimEnd().split('\n').length);
  let from = 0;
  for (const shown of block.trimEnd().split('\n')) {
    if (shown === '...') continue;
    const place = lines.findIndex((line, i) => i >= from && isLike(shown, line));
    expect(place, `the guide shows\n${shown}\nbut what is printed is\n${printed}`).not.toBe(-1);
    from = place + 1;
  }
}

/** What the page advises in its text, and no program of it shows. */
const ADVICE = `
fn logarithm(p) = log(max(p, 1e-7))
fn root(x, eps) = sqrt(x + eps)
fn scaled(x, norm, eps) = x / (norm + eps)
layer recurrence(x[n, t, i], units) -> h[n, t, units] {
  h = x |> lstm(units, forget = 1) |> simple_rnn(units)
}
layer own(x[n, i], units) -> y[n, units] {
  param A[i, units] ~ he_uniform
  param B[i, units] ~ glorot_normal
  param C[i, units] ~ lecun_normal
  param d[units]    ~ zeros
  y[n, o] = gelu(sum[i](x[n, i] * A[i, o])) + tanh(sum[i](x[n, i] * B[i, o])) + selu(sum[i](x[n, i] * C[i, o]) + d[o])
}
model Advice {
  input x[n, 5, 2]
  input yes[n]: 2
  h = x |> recurrence(4) |> last_step |> own(4) |> batch_norm
  norm[n] = root(sum[o](h[n, o]^2), 1e-6)
  z = h |> dense(1)
  p[n] = sigmoid(scaled(z[n, 0], norm[n], 1e-6))
  loss = -mean[n](yes[n] * logarithm(p[n]) + (1 - yes[n]) * logarithm(1 - p[n]))
  train { optimizer: adam(rate = 1e-2), batch: 8, epochs: 10, seed: 1 }
}`;
/** Of a tool, and of what not to do. */
const NOT_ADVISED = ['tsc', 'log(p)', 'adamw of *_W'];

describe('docs/GUIDE.md', () => {
  it.each(sections.filter(({ blocks }) => blocks.length > 0))(
    '$title',
    async ({ blocks }) => {
      let printed = '';
      for (const { language, text } of blocks) {
        if (language === 'sh') {
          const commands = text.trim().split('\n');
          printed = '';
          for (const [i, command] of commands.entries()) {
            const output = await run(command);
            // what a compiler has written is shown where it is the only command
            if (i === commands.length - 1 || !command.includes('compile')) printed += output;
          }
        } else if (language === 'text') expectShown(text, printed);
        else {
          const [, name] = /^\/\/ ([\w.-]+)\n/.exec(text) ?? [];
          if (name === undefined) throw new Error(`this block has no name:\n${text}`);
          writeFileSync(join(folder, name), text);
        }
      }
    },
    180_000,
  );

  it('what it shows is held to its last digit', () => {
    expect(isLike('loss 0.0253  0.00 s', 'loss 0.0254  7.50 s')).toBe(true);
    expect(isLike('loss 0.0253', 'loss 0.0280')).toBe(false);
    expect(isLike('loss 0.00', 'loss 0.02')).toBe(false);
    expect(isLike('gradient 4.1e-7', 'gradient 6.1e-7')).toBe(false);
    expect(isLike('virginica  0 1 9', 'virginica  0 2 8')).toBe(false);
    // of 0.00 nothing is known but that it is small
    const shown = sections.flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'text'));
    const numbers = shown.flatMap(({ text }) => text.split('\n').flatMap(numbersOf));
    expect(numbers.length).toBeGreaterThan(50);
    for (const number of numbers.filter((each) => each.includes('.'))) expect(Number(number)).not.toBe(0);
  });

  it('ignores what training has written, and nothing else', () => {
    const lines = readFileSync(join(folder, '.gitignore'), 'utf8').trim().split('\n');
    const isIgnored = (file: string): boolean =>
      lines.some((line) => (line.startsWith('*') ? file.endsWith(line.slice(1)) : file === line));
    const kept = readdirSync(folder).filter((file) => !isIgnored(file));
    expect(kept).toContain('generated');
    expect(kept.filter((file) => !/^\.gitignore$|^generated$|\.(ts|dsl|csv|json)$/.test(file))).toEqual([]);
    for (const file of ['best.ckpt', 'flowers.npz', 'digits.safetensors']) {
      expect(readdirSync(folder)).toContain(file);
      expect(isIgnored(file)).toBe(true);
    }
  });

  it('its files hold under the strictest settings of TypeScript', () => {
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2023', 'DOM'],
      module: 'NodeNext',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noPropertyAccessFromIndexSignature: true,
      noUnusedLocals: true,
      verbatimModuleSyntax: true,
      erasableSyntaxOnly: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: folder });
  });

  it('runs every file that it shows, and shows what every program prints', () => {
    const commands = sections.flatMap(({ blocks }) =>
      blocks.filter(({ language }) => language === 'sh').map(({ text }) => text),
    );
    for (const name of readdirSync(folder).filter((file) => /\.(ts|dsl)$/.test(file) && file !== 'data.ts'))
      expect(commands.join('')).toContain(` ${name}`);
    for (const { blocks } of sections)
      for (const [i, { language, text }] of blocks.entries())
        if (language === 'sh' && text.includes('tsx ')) expect(blocks[i + 1]?.language).toMatch(/text/);
  });

  it('what it says in passing is in a program of it or of this test, which trains', async () => {
    const text = page.replaceAll(/^```\w+\n([^]*?)^```$/gm, '');
    const programs = sections.flatMap(({ blocks }) => blocks.map((block) => block.text)).join('\n');
    const own = [...NOT_ADVISED, 'ReduceLROnPlateau', ADVICE].join('\n');
    for (const [, code] of text.matchAll(/`([^`]+)`/g)) expect(`${programs}\n${own}`).toContain(code);

    const { createTrainer } = await moduleOf(ADVICE, 'f32');
    const random = new Random(1, 'advice');
    const x = Float32Array.from({ length: 40 * 10 }, () => random.normal());
    const yes = Int32Array.from({ length: 40 }, (_, row) => (x[10 * row + 8]! > 0 ? 1 : 0));
    const callbacks = [new ReduceLROnPlateau({ monitor: 'loss', patience: 2 })];
    const { history } = await createTrainer().fit({ x, yes }, { callbacks });
    expect(history['loss']!.at(-1)).toBeLessThan(0.8 * history['loss']![0]!);
  });

  it('its table of losses is in losses.dsl', () => {
    const section = page.slice(page.indexOf('| what is predicted'), page.indexOf('```dsl\n// losses.dsl'));
    const formulas = [...section.matchAll(/^\|[^|`]*\| `([^`]*)`/gm)].map(([, formula]) => formula!);
    expect(formulas.length).toBeGreaterThan(5);
    const model = readFileSync(join(folder, 'losses.dsl'), 'utf8');
    for (const formula of formulas) expect(model).toContain(`(${formula})`);
  });
});
